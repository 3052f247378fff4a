//! Named values of the current request, such as the user who asks.
//!
//! A function deep down can depend on the user without an argument for it:
//! `#[cacheable(key = "profiles:<<user_id>>", context(user_id))]` takes the value from the context,
//! as if it were an argument. `cache_http::ContextLayer` sets it for each request; a job or a test
//! sets it with [`scope`].
//!
//! The context belongs to the future, wherever it is polled. A task that the future spawns is
//! outside it: [`current`]`().scope(..)` takes the context along.
//!
//! ```
//! use cache_runtime::context;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! context::scope([("user_id", 42)], async {
//!     assert_eq!(context::get("user_id").as_deref(), Some("42"));
//!
//!     let here = context::current();
//!     let task = tokio::spawn(here.scope(async { context::get("user_id") }));
//!     assert_eq!(task.await.unwrap().as_deref(), Some("42"));
//! })
//! .await;
//! assert_eq!(context::get("user_id"), None);
//! # }
//! ```

pub(crate) mod attribute;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::{self, Display};
use std::future::Future;
use std::sync::Arc;

use crate::entered::{Enter, Entered};

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context(None)) };
}

/// The named values of a request. Returned by [`current`]. Cheap to clone.
#[derive(Clone, Default)]
pub struct Context(Option<Arc<Values>>);

/// Sorted by name, each name once.
type Values = [(Cow<'static, str>, Arc<str>)];

/// Run the future with these values, in addition to those of the enclosing scope. A value of the
/// same name replaces that one.
///
/// ```
/// use cache_runtime::context;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tenant = context::scope([("tenant", "acme")], async {
///     context::scope([("user_id", 7)], async { context::get("tenant") }).await
/// });
/// assert_eq!(tenant.await.as_deref(), Some("acme"));
/// # }
/// ```
///
/// # Cancel safety
///
/// Dropping the returned future drops `future`.
pub fn scope<N, V, F>(
    values: impl IntoIterator<Item = (N, V)>,
    future: F,
) -> impl Future<Output = F::Output>
where
    N: Into<Cow<'static, str>>,
    V: Display,
    F: Future,
{
    current().with(values).scope(future)
}

/// [`scope`] for blocking code of this thread.
///
/// ```
/// use cache_runtime::context;
///
/// let user = context::scope_sync([("user_id", 42)], || context::get("user_id"));
/// assert_eq!(user.as_deref(), Some("42"));
/// ```
pub fn scope_sync<N, V, T>(values: impl IntoIterator<Item = (N, V)>, run: impl FnOnce() -> T) -> T
where
    N: Into<Cow<'static, str>>,
    V: Display,
{
    current().with(values).scope_sync(run)
}

/// Return the value of this name; `None` outside any scope that sets it.
///
/// ```
/// use cache_runtime::context;
///
/// assert_eq!(context::get("user_id"), None);
/// ```
pub fn get(name: &str) -> Option<String> {
    value(name).map(|value| value.as_ref().to_owned())
}

/// [`get`] without a copy.
pub(crate) fn value(name: &str) -> Option<Arc<str>> {
    let find = |context: &RefCell<Context>| context.borrow().find(name);
    CURRENT.try_with(find).ok().flatten()
}

/// Return the current context, for a task or a thread that is to have it too.
///
/// ```
/// use cache_runtime::context;
///
/// let user = context::scope_sync([("user_id", 42)], || {
///     let here = context::current();
///     let thread = std::thread::spawn(move || here.scope_sync(|| context::get("user_id")));
///     thread.join().unwrap()
/// });
/// assert_eq!(user.as_deref(), Some("42"));
/// ```
pub fn current() -> Context {
    let current = CURRENT.try_with(|context| context.borrow().clone());
    current.unwrap_or_default()
}

impl Context {
    /// Return this context with more values. A value of the same name is replaced.
    ///
    /// ```
    /// use cache_runtime::context;
    ///
    /// let context = context::current().with([("user_id", "anon")]);
    /// assert_eq!(context.get("user_id").as_deref(), Some("anon"));
    /// ```
    pub fn with<N, V>(&self, values: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'static, str>>,
        V: Display,
    {
        let mut all = match &self.0 {
            Some(values) => values.to_vec(),
            None => Vec::new(),
        };
        for (name, value) in values {
            let (name, value) = (name.into(), Arc::from(value.to_string()));
            match all.binary_search_by(|(known, _)| known.cmp(&name)) {
                Ok(place) => all[place].1 = value,
                Err(place) => all.insert(place, (name, value)),
            }
        }
        Self((!all.is_empty()).then(|| all.into()))
    }

    /// Return the value of this name.
    ///
    /// ```
    /// use cache_runtime::context::Context;
    ///
    /// assert_eq!(Context::default().get("user_id"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<String> {
        self.find(name).map(|value| value.as_ref().to_owned())
    }

    /// Run the future in this context, in place of the enclosing one.
    ///
    /// ```
    /// use cache_runtime::context::{self, Context};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let nobody = context::scope([("user_id", 42)], async {
    ///     Context::default().scope(async { context::get("user_id") }).await
    /// });
    /// assert_eq!(nobody.await, None);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops `future`.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Entered::new(self, future)
    }

    /// [`scope`](Self::scope) for blocking code of this thread.
    ///
    /// ```
    /// use cache_runtime::context::{self, Context};
    ///
    /// let context = Context::default().with([("tenant", "acme")]);
    /// assert_eq!(context.scope_sync(|| context::get("tenant")).as_deref(), Some("acme"));
    /// ```
    pub fn scope_sync<T>(self, run: impl FnOnce() -> T) -> T {
        let _entered = EnteredContext::new(self);
        run()
    }

    fn find(&self, name: &str) -> Option<Arc<str>> {
        let values = self.0.as_deref()?;
        let place = values.binary_search_by(|(known, _)| known.as_ref().cmp(name));
        place.ok().map(|place| Arc::clone(&values[place].1))
    }
}

/// Shows the values as `user_id: 42, tenant: acme`.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.0.iter().flat_map(|values| values.iter());
        f.debug_map()
            .entries(values.map(|(name, value)| (name, value)))
            .finish()
    }
}

impl Enter for Context {
    type Guard = EnteredContext;
    fn enter(&self) -> EnteredContext {
        EnteredContext::new(self.clone())
    }
}

/// Restores the outer context when dropped, also by a panic.
pub(crate) struct EnteredContext {
    outer: Context,
}

impl EnteredContext {
    fn new(context: Context) -> Self {
        let outer = CURRENT.try_with(|current| current.replace(context));
        Self {
            outer: outer.unwrap_or_default(),
        }
    }
}

impl Drop for EnteredContext {
    fn drop(&mut self) {
        let outer = std::mem::take(&mut self.outer);
        let inner = CURRENT.try_with(|current| current.replace(outer));
        // Outside the borrow: a value is only text, but a drop may run anything one day.
        drop(inner);
    }
}
