//! What a function with `#[cacheable]` does before its body may run: it renders the key and, where the store is in
//! this process, looks there.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::background::block_on;
use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::call::{Call, Lead};
use crate::entry::Found;
use crate::error::CacheError;
use crate::events;
use crate::key::writer::{Render, with_rendering};
use crate::site::{Origin, ReadSite};
use crate::stats::Counter;
use crate::ttl::Ttl;
use crate::value::payload::Payload;
use crate::value::shape::Cached;

/// What is known of a call before its body may run.
pub struct Lookup<R: Cached<S>, S> {
    pub(crate) state: State<R::Stored>,
    /// Holds no `R`, so that a future with an `Err` that isn't `Send` is as `Send` as the body is.
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R: Cached<S>, S> Lookup<R, S> {
    pub(crate) fn new(state: State<R::Stored>) -> Self {
        Self {
            state,
            returns: PhantomData,
        }
    }

    /// A call of the handle, whose key is known.
    pub(crate) fn pending(call: Call) -> Self {
        Self::new(State::Pending(call))
    }
}

pub(crate) enum State<T> {
    Hit(Found<Arc<T>>),
    Bypass,
    Pending(Call),
    /// It is known already that this call computes.
    Leading(Call, Lead),
}

/// Renders the key and, where the store is in this process, looks there. On a hit nothing else is done: the
/// arguments are seen by reference, and neither a lock nor a borrow of the cache outlives this call.
pub fn begin<R, S, F, L>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    condition: bool,
    _: S,
    render: F,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    F: Render,
    L: FnOnce() -> Option<Duration>,
{
    let state = handle.with(|cache| {
        if !condition || !cache.inner().enabled {
            return State::Bypass;
        }
        with_key(site, cache, &render, |key| {
            if let Some(found) = look_in_memory::<R, S>(site, cache, key) {
                return State::Hit(found);
            }
            State::Pending(call(site, cache, key, ttl(), false))
        })
        .unwrap_or(State::Bypass)
    });
    Lookup::new(state)
}

/// Like [`begin`], for a call that computes whether or not an entry stands.
pub fn begin_refresh<R, S, F, L>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    _: S,
    render: F,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    F: Render,
    L: FnOnce() -> Option<Duration>,
{
    let state = handle.with(|cache| {
        if !cache.inner().enabled {
            return State::Bypass;
        }
        let pending = with_key(site, cache, &render, |key| {
            call(site, cache, key, ttl(), true)
        });
        pending.map_or(State::Bypass, State::Pending)
    });
    Lookup::new(state)
}

/// The full key of a call.
pub fn cache_key<F: Render>(site: &'static ReadSite, handle: Handle<'_>, render: F) -> String {
    handle
        .with(|cache| with_key(site, cache, &render, |key| cache.full_key(key)).unwrap_or_default())
}

/// Removes the one entry of a call; whether one was there.
///
/// Cancel safety: once polled, it finishes without its caller.
pub fn invalidate_entry<F: Render>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    render: F,
) -> impl Future<Output = Result<bool, CacheError>> + Send + use<F> {
    let target = handle.with(|cache| {
        let key = with_key(site, cache, &render, |key| Arc::<str>::from(key))?;
        Some((cache.clone(), key))
    });
    async move {
        match target {
            Some((cache, key)) => cache.delete_entry(Origin::from(site), &key).await,
            None => Ok(false),
        }
    }
}

/// Like [`invalidate_entry`], for a blocking caller.
pub fn invalidate_entry_sync<F: Render>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    render: F,
) -> Result<bool, CacheError> {
    block_on(invalidate_entry(site, handle, render))
}

/// Renders the key; `None`, logged and counted, where an argument's `Serialize` or `Display` fails.
pub(crate) fn with_key<T, F: Render>(
    site: &'static ReadSite,
    cache: &Cache,
    render: &F,
    use_it: impl FnOnce(&str) -> T,
) -> Option<T> {
    with_rendering(|rendering| {
        let wanted = events::wanted(site.info.debug);
        if wanted {
            rendering.with_parts_shown();
        }
        match site.render(rendering, render) {
            Ok(_) => {}
            Err(reason) => {
                cache
                    .inner()
                    .counters
                    .add(site.number(), Counter::Errors, 1);
                events::error(site.info.function, site.info.template, &reason);
                return None;
            }
        }
        if wanted {
            events::call(
                site.into(),
                &rendering.shown_parts(),
                &cache.full_key(&rendering.text),
            );
        }
        Some(use_it(&rendering.text))
    })
}

fn look_in_memory<R: Cached<S>, S>(
    site: &ReadSite,
    cache: &Cache,
    key: &str,
) -> Option<Found<Arc<R::Stored>>> {
    let inner = cache.inner();
    let (store, now) = inner.store.here(&inner.clock, site.info.options.near)?;
    let hit = store.get(key, now)?;
    share_hit::<R, S>(site, cache, key, &hit.payload, hit.version)
}

/// What was found, if this function can use it.
pub(crate) fn share_hit<R: Cached<S>, S>(
    site: &ReadSite,
    cache: &Cache,
    key: &str,
    payload: &Payload,
    version: u32,
) -> Option<Found<Arc<R::Stored>>> {
    let found = payload
        .share(version, site.info.version)
        .filter(fits::<R, S>)?;
    cache.inner().counters.add(site.number(), Counter::Hits, 1);
    if events::wanted(site.info.debug) {
        events::hit(site.into(), &cache.full_key(key));
    }
    Some(found)
}

pub(crate) fn call(
    site: &'static ReadSite,
    cache: &Cache,
    key: &str,
    ttl: Option<Duration>,
    refresh: bool,
) -> Call {
    let ttl = match site.info.ttl {
        Ttl::Fixed(ttl) => Some(ttl),
        Ttl::Preset(name) => cache.preset(name),
        Ttl::Default | Ttl::Computed => ttl,
    };
    Call {
        cache: cache.clone(),
        origin: site.into(),
        key: key.into(),
        version: site.info.version,
        cache_none: site.info.cache_none,
        options: &site.info.options,
        ttl,
        refresh,
        due: None,
        blocking: false,
    }
}

/// Whether the return type can be built around what was found: a `None` that another function keeps under the
/// same key is a miss for one whose type has none.
pub(crate) fn fits<R: Cached<S>, S>(found: &Found<Arc<R::Stored>>) -> bool {
    matches!(found, Found::Value(_)) || R::none().is_some()
}
