//! Selecting the cache of a call whose attribute names none.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::Location;
use std::sync::OnceLock;

use crate::core::Cache;
use crate::default_origin::{DefaultOrigin, FirstCall};
use crate::entered::{Enter, Entered};
use crate::error::CacheError;

static DEFAULT: OnceLock<Cache> = OnceLock::new();

thread_local! {
    static SCOPE: RefCell<Option<Cache>> = const { RefCell::new(None) };
    /// The bits [`SCOPED`] and [`UNCACHED`]. A number has no destructor, so reading it needs no
    /// registration, and most calls read only this.
    static MODE: Cell<u8> = const { Cell::new(0) };
}

/// There is a scoped cache.
const SCOPED: u8 = 1;
/// Cached functions run without the cache.
const UNCACHED: u8 = 2;

/// The cache of one call: the one that its attribute names, or the current one.
#[derive(Clone, Copy, Debug)]
pub enum Handle<'a> {
    /// [`Cache::current`].
    Current,
    /// `cache = expr`.
    Given(&'a Cache),
}

impl Handle<'_> {
    /// Lend the cache to a call whose function has used it before.
    #[inline]
    pub(crate) fn with<T>(self, use_it: impl FnOnce(&Cache) -> T) -> T {
        self.lend_to(MODE.get() & SCOPED, || None, use_it)
    }

    /// Lend the cache. `first` names the call, in case it is the one that creates the default.
    #[inline]
    pub(crate) fn lend<T>(
        self,
        first: impl Fn() -> FirstCall,
        use_it: impl FnOnce(&Cache) -> T,
    ) -> T {
        self.lend_to(MODE.get() & SCOPED, || Some(first()), use_it)
    }

    /// [`lend`](Self::lend) for a call that reads or fills: within [`Cache::uncached`] it gets a
    /// disabled cache.
    #[inline]
    pub(crate) fn lend_to_read<T>(
        self,
        first: impl Fn() -> FirstCall,
        use_it: impl FnOnce(&Cache) -> T,
    ) -> T {
        self.lend_to(MODE.get(), || Some(first()), use_it)
    }

    /// Lend the cache. The process's default is lent by reference: a hit doesn't touch a reference
    /// count. `use_it` is called in one place, so that the compiler inlines it.
    #[inline]
    fn lend_to<T>(
        self,
        mode: u8,
        first: impl Fn() -> Option<FirstCall>,
        use_it: impl FnOnce(&Cache) -> T,
    ) -> T {
        let departs = match self {
            Self::Given(_) => mode & UNCACHED != 0,
            Self::Current => mode != 0,
        };
        let other = if departs { departing(mode) } else { None };
        let cache = match (&other, self) {
            (Some(other), _) => other,
            (None, Self::Given(cache)) => cache,
            (None, Self::Current) => default(&first),
        };
        use_it(cache)
    }
}

/// Return the cache of a call that departs from the plain one: a disabled cache within
/// [`Cache::uncached`], otherwise the scope's.
#[cold]
#[inline(never)]
fn departing(mode: u8) -> Option<Cache> {
    static DISABLED: OnceLock<Cache> = OnceLock::new();
    match mode & UNCACHED {
        0 => scoped(),
        _ => Some(DISABLED.get_or_init(|| Cache::builder().uncached()).clone()),
    }
}

/// Whether this thread runs within [`Cache::uncached`].
#[inline]
pub(crate) fn is_uncached() -> bool {
    MODE.get() & UNCACHED != 0
}

/// Marks this thread as running without the cache. Restores the outer state when dropped, also by a
/// panic.
pub(crate) struct EnteredUncached {
    outer: u8,
}

impl EnteredUncached {
    pub(crate) fn new() -> Self {
        let outer = MODE.get();
        MODE.set(outer | UNCACHED);
        Self { outer }
    }
}

impl Drop for EnteredUncached {
    fn drop(&mut self) {
        MODE.set(MODE.get() & !UNCACHED | self.outer & UNCACHED);
    }
}

/// Return the cache of the innermost scope.
pub(crate) fn scoped() -> Option<Cache> {
    SCOPE
        .try_with(|scope| scope.borrow().clone())
        .ok()
        .flatten()
}

#[inline]
fn default(first: impl Fn() -> Option<FirstCall>) -> &'static Cache {
    match DEFAULT.get() {
        Some(cache) => cache,
        None => made(first()),
    }
}

#[cold]
#[inline(never)]
fn made(first: Option<FirstCall>) -> &'static Cache {
    DEFAULT.get_or_init(|| {
        let cache = of_the_environment();
        if let Some(call) = first {
            DefaultOrigin::Called(call).remember();
        }
        cache
    })
}

#[cold]
fn of_the_environment() -> Cache {
    Cache::from_env().unwrap_or_else(|error| {
        tracing::error!(target: "cache", "[Cache] the default cache can't be built, so functions run uncached: {error}");
        Cache::builder().uncached()
    })
}

impl Cache {
    /// Make this the process's default: the cache of every annotated function outside a scope.
    ///
    /// ```standalone_crate
    /// # use cache_runtime::{Cache, CacheError};
    /// let cache = Cache::builder().prefix("quickpost").build()?;
    /// cache.install()?; // once, at the start of `main`
    /// assert_eq!(Cache::current().prefix(), "quickpost");
    /// assert!(matches!(cache.install(), Err(CacheError::AlreadyInstalled)));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::AlreadyInstalled`] if there is a default already, because of an earlier call,
    /// or because a cached function ran before and created one from the environment. The error's
    /// text names that call, with its place in the source. Call `install` once, at the start of the
    /// program.
    #[track_caller]
    pub fn install(&self) -> Result<(), CacheError> {
        let at = Location::caller();
        let mut is_set = false;
        DEFAULT.get_or_init(|| {
            DefaultOrigin::Installed(at).remember();
            is_set = true;
            self.clone()
        });
        is_set.then_some(()).ok_or(CacheError::AlreadyInstalled)
    }

    /// Return the innermost [`scope`](Cache::scope)'s cache, otherwise the installed one, otherwise
    /// one that is now created from the environment. A malformed environment creates a cache that
    /// stores nothing, and is logged once, at `error`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().prefix("of-this-test").build()?;
    /// cache.scope_sync(|| assert_eq!(Cache::current().prefix(), "of-this-test"));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    #[track_caller]
    pub fn current() -> Self {
        let at = Location::caller();
        let function = "Cache::current";
        Handle::Current.lend(|| FirstCall { function, at }, Clone::clone)
    }

    /// Run the future with this cache as the current one, wherever it is polled. Tasks that it
    /// spawns are outside the scope.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().prefix("of-this-test").build()?;
    /// cache.scope(async { assert_eq!(Cache::current().prefix(), "of-this-test") }).await;
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops `future`.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Scope::new(InScope(self.clone()), future)
    }

    /// Run the closure with this cache as the current one of this thread.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().prefix("of-this-test").build()?;
    /// let prefix = cache.scope_sync(|| Cache::current().prefix().to_owned());
    /// assert_eq!(prefix, "of-this-test");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn scope_sync<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = EnteredScope::new(self.clone());
        run()
    }
}

/// A future with a cache of its own.
pub(crate) type Scope<F> = Entered<InScope, F>;

/// The cache of a scope.
pub(crate) struct InScope(pub(crate) Cache);

impl Enter for InScope {
    type Guard = EnteredScope;
    fn enter(&self) -> EnteredScope {
        EnteredScope::new(self.0.clone())
    }
}

/// Restores the outer scope's cache when dropped, also by a panic.
pub(crate) struct EnteredScope {
    outer: Option<Cache>,
}

impl EnteredScope {
    fn new(cache: Cache) -> Self {
        let outer = SCOPE
            .try_with(|scope| scope.replace(Some(cache)))
            .ok()
            .flatten();
        MODE.set(MODE.get() | SCOPED);
        Self { outer }
    }
}

impl Drop for EnteredScope {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let scoped = if outer.is_some() { SCOPED } else { 0 };
        MODE.set(MODE.get() & !SCOPED | scoped);
        let inner = SCOPE.try_with(|scope| scope.replace(outer));
        drop(inner);
    }
}
