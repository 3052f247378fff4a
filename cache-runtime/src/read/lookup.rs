//! The generic shell around `fast_path`. Before its body may run, a function with `#[cacheable]`
//! renders the key and looks it up if the store is in this process.

use std::any::TypeId;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::current::{Handle, is_uncached};
use crate::entry::CachedValue;
use crate::error::CacheError;
use crate::key::writer::Rendered;
use crate::read::call::Call;
use crate::read::computation::Computation;
use crate::read::fast_path::{
    Expected, MemoryHit, Miss, PendingCall, Request, bypassed, try_hit, wrong_type,
};
use crate::read::presets::Presets;
use crate::runtime::block_on;
use crate::site::{Origin, ReadSite};
use crate::value::Storable;
use crate::value::shape::{Cached, Returns};

/// Progress of a call before its body may run.
pub struct Lookup<R: Cached<S>, S> {
    pub(crate) state: LookupState<R::Stored>,
    /// Holds no `R`: a future with an `Err` that isn't `Send` is then `Send` if the body is.
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R: Cached<S>, S> Lookup<R, S> {
    pub(crate) fn new(state: LookupState<R::Stored>) -> Self {
        Self {
            state,
            returns: PhantomData,
        }
    }

    /// Return the lookup of an explicit operation, whose key is known.
    pub(crate) fn pending(call: Call) -> Self {
        Self::new(match is_uncached() {
            true => LookupState::Bypass,
            false => LookupState::Pending(Box::new(call)),
        })
    }
}

/// State of a lookup. Everything but a hit is boxed, so that a hit takes three words.
pub(crate) enum LookupState<T> {
    Hit(CachedValue<Arc<T>>),
    Bypass,
    Pending(Box<Call>),
    /// This call is already known to compute.
    Computation(Box<Computation>),
}

/// Call [`begin_with`] with the defaults of most functions: the current cache, no condition and no
/// TTL of its own.
#[inline]
pub fn begin<R: Cached<S>, S>(
    site: &'static ReadSite,
    returns: Returns<R, S>,
    render: Rendered<'_>,
) -> Lookup<R, S> {
    begin_with(site, Handle::Current, true, returns, render, |_| None)
}

/// Call [`begin`], and return a hit's value.
///
/// # Errors
///
/// The lookup of a call that missed.
#[inline]
pub fn answer<R: Cached<S>, S>(
    site: &'static ReadSite,
    returns: Returns<R, S>,
    render: Rendered<'_>,
) -> Result<R, Lookup<R, S>> {
    begin(site, returns, render).hit()
}

/// Render the key, and look it up if the store is in this process. A hit does nothing else:
/// arguments are read by reference, and neither a lock nor a borrow of the cache outlives this
/// call.
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
    L: FnOnce(&Presets<'_>) -> Option<Duration>,
{
    let request = Request {
        site,
        render: &render,
    };
    let mut miss = Miss::Bypass;
    let hit = try_hit(request, handle, condition, expected::<R, S>, &mut miss);
    into_lookup(request, handle, hit, miss, ttl)
}

pub(crate) fn expected<R: Cached<S>, S>() -> Expected {
    Expected {
        stored: TypeId::of::<R::Stored>(),
        none: R::none().is_some(),
    }
}

/// Convert the outcome of a lookup. A hit has a path of its own, since a `match` over all outcomes
/// would compile to an indirect branch that the CPU may mispredict.
#[inline]
pub(crate) fn into_lookup<R: Cached<S>, S>(
    request: Request<'_>,
    handle: Handle<'_>,
    hit: MemoryHit,
    miss: Miss,
    ttl: impl FnOnce(&Presets<'_>) -> Option<Duration>,
) -> Lookup<R, S> {
    let Some(value) = hit else {
        return Lookup::new(on_miss(
            request.site,
            handle,
            miss,
            R::none().is_some(),
            ttl,
        ));
    };
    // It is the initial `Bypass`, which owns nothing to drop. The compiler can't see that.
    debug_assert!(matches!(miss, Miss::Bypass));
    std::mem::forget(miss);
    match value.downcast() {
        Ok(value) => Lookup::new(LookupState::Hit(CachedValue::Value(value))),
        Err(other) => {
            drop(other);
            let miss = wrong_type(request, handle, expected::<R, S>);
            Lookup::new(on_miss(
                request.site,
                handle,
                miss,
                R::none().is_some(),
                ttl,
            ))
        }
    }
}

#[cold]
#[inline(never)]
fn on_miss<T: Storable>(
    site: &ReadSite,
    handle: Handle<'_>,
    miss: Miss,
    none: bool,
    ttl: impl FnOnce(&Presets<'_>) -> Option<Duration>,
) -> LookupState<T> {
    let PendingCall { mut call, other } = match miss {
        Miss::Pending(missed) => missed,
        Miss::CachedNone => return LookupState::Hit(CachedValue::None),
        Miss::Bypass => {
            bypassed(site, handle);
            return LookupState::Bypass;
        }
    };
    let found = other.and_then(|(payload, version)| payload.into_shared(version, call.version));
    if let Some(found) = found.filter(|found| fits(found, none)) {
        call.hit();
        return LookupState::Hit(found);
    }
    if site.info.ttl.is_computed() {
        call.ttl = ttl(&call.presets());
    }
    LookupState::Pending(call)
}

/// Call [`begin_refresh_with`] with the defaults of most functions: the current cache and no TTL of
/// its own.
pub fn begin_refresh<R: Cached<S>, S>(
    site: ReadSite,
    returns: Returns<R, S>,
    render: Rendered<'_>,
) -> Lookup<R, S> {
    begin_refresh_with(site, Handle::Current, returns, render, |_| None)
}

/// Like [`begin_with`], for a call that computes even if an entry is cached.
pub fn begin_refresh_with<R, S, L>(
    site: ReadSite,
    handle: Handle<'_>,
    returns: Returns<R, S>,
    render: Rendered<'_>,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    L: FnOnce(&Presets<'_>) -> Option<Duration>,
{
    begin_refresh_if(true, site, handle, returns, render, ttl)
}

/// Like [`begin_refresh_with`]. Without the condition, the call bypasses the cache.
pub fn begin_refresh_if<R, S, L>(
    condition: bool,
    site: ReadSite,
    handle: Handle<'_>,
    _: Returns<R, S>,
    render: Rendered<'_>,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    L: FnOnce(&Presets<'_>) -> Option<Duration>,
{
    if !condition {
        return Lookup::new(LookupState::Bypass);
    }
    let site = site.companion("_refresh");
    let pending = pending(&site, handle, render).map(|mut call| {
        if site.info.ttl.is_computed() {
            call.ttl = ttl(&call.presets());
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
    handle.lend_to_read(
        || request.site.info.first_call(),
        |cache| {
            if !cache.inner().enabled {
                return None;
            }
            request.with_key(cache, |key| {
                let mut call = Box::new(request.call(cache, key));
                call.refresh = true;
                call
            })
        },
    )
}

/// Return the full key of a call.
pub fn cache_key(site: ReadSite, handle: Handle<'_>, render: Rendered<'_>) -> String {
    let request = Request {
        site: &site.companion("_cache_key"),
        render: &render,
    };
    handle.lend(
        || request.site.info.first_call(),
        |cache| {
            request
                .with_key(cache, |key| cache.full_key(key))
                .unwrap_or_default()
        },
    )
}

/// Return the path and variant of a call, as the handle's operations take it.
pub fn cache_path(site: ReadSite, handle: Handle<'_>, render: Rendered<'_>) -> String {
    let request = Request {
        site: &site.companion("_cache_path"),
        render: &render,
    };
    handle.lend(
        || request.site.info.first_call(),
        |cache| {
            let path = |key: &str| cache.inner().prefix.unambiguous(key);
            request.with_key(cache, path).unwrap_or_default()
        },
    )
}

/// Remove the one entry of a call. Returns whether it existed.
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
    let target = handle.lend(
        || request.site.info.first_call(),
        |cache| {
            let key = request.with_key(cache, |key| Arc::<str>::from(key))?;
            Some((cache.clone(), key, Origin::from(&site)))
        },
    );
    async move {
        match target {
            Some((cache, key, origin)) => Ok(cache.delete_entries(origin, vec![key]).await? > 0),
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

/// Whether a cached value is usable. A `None` that another function stored under the same key is a
/// miss for a function whose return type has no `None`.
#[inline]
pub(crate) fn fits<T>(found: &CachedValue<Arc<T>>, none: bool) -> bool {
    matches!(found, CachedValue::Value(_)) || none
}

/// Wrap a cached value in the return type, if it fits.
#[inline]
pub(crate) fn rebuild<R: Cached<S>, S>(found: CachedValue<Arc<R::Stored>>) -> Option<R> {
    match found {
        CachedValue::Value(value) => Some(R::wrap(value)),
        CachedValue::None => R::none(),
    }
}
