//! What a function with `#[cacheable]` does before its body may run: it renders the key and, where the store is in
//! this process, looks there. The generic shell around `hit.rs`.

use std::any::TypeId;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::current::Handle;
use crate::entry::CachedValue;
use crate::error::CacheError;
use crate::key::writer::Rendered;
use crate::read::call::Call;
use crate::read::fast_path::{Expected, MemoryHit, Miss, PendingCall, Request, open, wrong_type};
use crate::read::future::Computation;
use crate::runtime::block_on;
use crate::site::{Origin, ReadSite};
use crate::ttl::Ttl;
use crate::value::Storable;
use crate::value::shape::{Cached, Returns};

/// What is known of a call before its body may run.
pub struct Lookup<R: Cached<S>, S> {
    pub(crate) state: LookupState<R::Stored>,
    /// Holds no `R`, so that a future with an `Err` that isn't `Send` is as `Send` as the body is.
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R: Cached<S>, S> Lookup<R, S> {
    pub(crate) fn new(state: LookupState<R::Stored>) -> Self {
        Self {
            state,
            returns: PhantomData,
        }
    }

    /// A call of the handle, whose key is known.
    pub(crate) fn pending(call: Call) -> Self {
        Self::new(LookupState::Pending(Box::new(call)))
    }
}

/// What misses is boxed, so that a hit is three words.
pub(crate) enum LookupState<T> {
    Hit(CachedValue<Arc<T>>),
    Bypass,
    Pending(Box<Call>),
    /// It is known already that this call computes.
    Computation(Box<Computation>),
}

/// [`begin_with`] what most functions say: nothing.
#[inline]
pub fn begin<R: Cached<S>, S>(
    site: &'static ReadSite,
    returns: Returns<R, S>,
    render: Rendered<'_>,
) -> Lookup<R, S> {
    begin_with(site, Handle::Current, true, returns, render, || None)
}

/// [`begin`] where a call that is answered ends.
///
/// # Errors
///
/// What is known of a call that goes on.
#[inline]
pub fn answer<R: Cached<S>, S>(
    site: &'static ReadSite,
    returns: Returns<R, S>,
    render: Rendered<'_>,
) -> Result<R, Lookup<R, S>> {
    begin(site, returns, render).hit()
}

/// Renders the key and, where the store is in this process, looks there. On a hit nothing else is done: the
/// arguments are seen by reference, and neither a lock nor a borrow of the cache outlives this call.
#[inline]
pub fn begin_with<R, S, L>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    condition: bool,
    _: Returns<R, S>,
    render: Rendered<'_>,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    L: FnOnce() -> Option<Duration>,
{
    let request = Request {
        site,
        render: &render,
    };
    let mut rest = Miss::Bypass;
    let opened = open(request, handle, condition, expected::<R, S>, &mut rest);
    into_lookup(request, handle, opened, rest, ttl)
}

pub(crate) fn expected<R: Cached<S>, S>() -> Expected {
    Expected {
        stored: TypeId::of::<R::Stored>(),
        none: R::none().is_some(),
    }
}

/// What is known then. A hit goes by itself: a choice among all that there is would be a jump that has to be guessed.
#[inline]
pub(crate) fn into_lookup<R: Cached<S>, S>(
    request: Request<'_>,
    handle: Handle<'_>,
    opened: MemoryHit,
    rest: Miss,
    ttl: impl FnOnce() -> Option<Duration>,
) -> Lookup<R, S> {
    let Some(value) = opened else {
        return Lookup::new(go_on(request.site, rest, R::none().is_some(), ttl));
    };
    // There is nothing in it, which the compiler can't see.
    std::mem::forget(rest);
    match value.downcast() {
        Ok(value) => Lookup::new(LookupState::Hit(CachedValue::Value(value))),
        Err(other) => {
            drop(other);
            let rest = wrong_type(request, handle, expected::<R, S>);
            Lookup::new(go_on(request.site, rest, R::none().is_some(), ttl))
        }
    }
}

#[cold]
#[inline(never)]
fn go_on<T: Storable>(
    site: &ReadSite,
    rest: Miss,
    none: bool,
    ttl: impl FnOnce() -> Option<Duration>,
) -> LookupState<T> {
    let PendingCall { mut call, other } = match rest {
        Miss::Pending(missed) => missed,
        Miss::CachedNone => return LookupState::Hit(CachedValue::None),
        Miss::Bypass => return LookupState::Bypass,
    };
    let found = other.and_then(|(payload, version)| payload.into_shared(version, call.version));
    if let Some(found) = found.filter(|found| fits(found, none)) {
        call.hit();
        return LookupState::Hit(found);
    }
    if matches!(site.info.ttl, Ttl::Default | Ttl::Computed) {
        call.ttl = ttl();
    }
    LookupState::Pending(call)
}

/// [`begin_refresh_with`] what most functions say: nothing.
pub fn begin_refresh<R: Cached<S>, S>(
    site: ReadSite,
    returns: Returns<R, S>,
    render: Rendered<'_>,
) -> Lookup<R, S> {
    begin_refresh_with(site, Handle::Current, returns, render, || None)
}

/// Like [`begin_with`], for a call that computes whether or not an entry stands.
pub fn begin_refresh_with<R, S, L>(
    site: ReadSite,
    handle: Handle<'_>,
    _: Returns<R, S>,
    render: Rendered<'_>,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    L: FnOnce() -> Option<Duration>,
{
    let site = site.companion("_refresh");
    let pending = pending(&site, handle, render).map(|mut call| {
        if matches!(site.info.ttl, Ttl::Default | Ttl::Computed) {
            call.ttl = ttl();
        }
        LookupState::Pending(call)
    });
    Lookup::new(pending.unwrap_or(LookupState::Bypass))
}

fn pending(site: &ReadSite, handle: Handle<'_>, render: Rendered<'_>) -> Option<Box<Call>> {
    let request = Request {
        site,
        render: &render,
    };
    handle.with(|cache| {
        if !cache.inner().enabled {
            return None;
        }
        request.with_key(cache, |key| {
            let mut call = Box::new(request.call(cache, key));
            call.refresh = true;
            call
        })
    })
}

/// The full key of a call.
pub fn cache_key(site: ReadSite, handle: Handle<'_>, render: Rendered<'_>) -> String {
    let request = Request {
        site: &site.companion("_cache_key"),
        render: &render,
    };
    handle.with(|cache| {
        request
            .with_key(cache, |key| cache.full_key(key))
            .unwrap_or_default()
    })
}

/// The path and variant of a call, as the operations of the handle understand it.
pub fn cache_path(site: ReadSite, handle: Handle<'_>, render: Rendered<'_>) -> String {
    let request = Request {
        site: &site.companion("_cache_path"),
        render: &render,
    };
    handle.with(|cache| {
        let path = |key: &str| cache.inner().prefix.unmistakable(key);
        request.with_key(cache, path).unwrap_or_default()
    })
}

/// Removes the one entry of a call; whether one was there.
///
/// Cancel safety: once polled, it finishes without its caller.
pub fn invalidate_entry(
    site: ReadSite,
    handle: Handle<'_>,
    render: Rendered<'_>,
) -> impl Future<Output = Result<bool, CacheError>> + Send + use<> {
    let site = site.companion("_invalidate");
    let request = Request {
        site: &site,
        render: &render,
    };
    let target = handle.with(|cache| {
        let key = request.with_key(cache, |key| Arc::<str>::from(key))?;
        Some((cache.clone(), key, Origin::from(&site)))
    });
    async move {
        match target {
            Some((cache, key, origin)) => cache.delete_entry(origin, &key).await,
            None => Ok(false),
        }
    }
}

/// Like [`invalidate_entry`], for a blocking caller.
pub fn invalidate_entry_sync(
    site: ReadSite,
    handle: Handle<'_>,
    render: Rendered<'_>,
) -> Result<bool, CacheError> {
    block_on(invalidate_entry(site, handle, render))
}

/// Whether what was found is of use: a `None` that another function keeps under the same key is a miss for one whose return
/// type has none.
#[inline]
pub(crate) fn fits<T>(found: &CachedValue<Arc<T>>, none: bool) -> bool {
    matches!(found, CachedValue::Value(_)) || none
}
