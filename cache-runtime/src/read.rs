//! What a function with `#[cacheable]` does at run time.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::background::block_on;
use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::call::{Call, Landing, Lead, Step};
use crate::entry::{self, Found};
use crate::error::CacheError;
use crate::events;
use crate::key::writer::{Render, with_rendering};
use crate::site::{Origin, ReadSite};
use crate::stats::Counter;
use crate::ttl::{IntoTtl, Ttl};
use crate::value::measure;
use crate::value::payload::Payload;
use crate::value::shape::{Cached, Peek};

/// What is known of a call before its body may run.
pub struct Lookup<R: Cached<S>, S> {
    state: State<R::Stored>,
    /// Holds no `R`, so that a future with an `Err` that isn't `Send` is as `Send` as the body is.
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R: Cached<S>, S> Lookup<R, S> {
    /// A call of the handle, whose key is known.
    pub(crate) fn pending(call: Call) -> Self {
        Self {
            state: State::Pending(call),
            returns: PhantomData,
        }
    }
}

enum State<T> {
    Hit(Found<Arc<T>>),
    Bypass,
    Pending(Call),
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
    Lookup {
        state,
        returns: PhantomData,
    }
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
    Lookup {
        state,
        returns: PhantomData,
    }
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
fn with_key<T, F: Render>(
    site: &'static ReadSite,
    cache: &Cache,
    render: &F,
    use_it: impl FnOnce(&str) -> T,
) -> Option<T> {
    with_rendering(|rendering| {
        let origin_debug = site.info.debug;
        let wanted = events::wanted(origin_debug);
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
    let hit = inner.store.memory()?.get(key, inner.clock.now())?;
    let found = hit
        .payload
        .share(hit.version, site.info.version)
        .filter(fits::<R, S>)?;
    inner.counters.add(site.number(), Counter::Hits, 1);
    if events::wanted(site.info.debug) {
        events::hit(site.into(), &cache.full_key(key));
    }
    Some(found)
}

fn call(
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
        ttl,
        refresh,
        blocking: false,
    }
}

/// Answers an async call: from the store, from another caller's flight, or by the body.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while it leads, one of those who
/// wait takes over; dropped while it fills, the fill finishes.
pub async fn read_async<R, S, V, D, U, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: Future<Output = R>,
{
    let mut found = None;
    let lead = match lookup.state {
        State::Hit(hit) => {
            found = Some(hit);
            None
        }
        State::Bypass => None,
        State::Pending(call) => call
            .settle::<R, S>(&mut found)
            .await
            .map(|lead| (call, lead)),
    };
    if let Some(value) = found.and_then(rebuild) {
        return value;
    }
    let Some((call, lead)) = lead else {
        return body.await;
    };
    let started = Instant::now();
    // The value isn't held across the await: one that isn't `Send` would make the future so. The block ends its storage;
    // for the compiler, a value that was borrowed and then dropped is held on.
    let (shared, filling) = {
        let value = lead.leader.within(body).await;
        // Within the flight too: the value's `Serialize` and the conditions on it may call the cache.
        let conclude = || conclude(&call, &lead, &value, value_ttl, unless, started);
        let conclusion = lead.leader.run(conclude);
        let shared = conclusion.stored.clone();
        match call.land(lead, conclusion.landing) {
            Some(filling) => (shared, filling),
            None => return value,
        }
    };
    filling.await;
    match rebuild(shared) {
        Some(value) => value,
        None => unreachable!("a `None` was stored of a type that has none"),
    }
}

/// Answers a blocking call. Its thread parks while it waits; what it waits for runs on the cache's thread.
pub fn read_sync<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    let mut found = None;
    let lead = match lookup.state {
        State::Hit(hit) => {
            found = Some(hit);
            None
        }
        State::Bypass => None,
        State::Pending(mut call) => {
            call.blocking = true;
            block_on(call.settle::<R, S>(&mut found)).map(|lead| (call, lead))
        }
    };
    if let Some(value) = found.and_then(rebuild) {
        return value;
    }
    let Some((call, lead)) = lead else {
        return body();
    };
    let started = Instant::now();
    let value = lead.leader.run(body);
    let conclude = || conclude(&call, &lead, &value, value_ttl, unless, started);
    let conclusion = lead.leader.run(conclude);
    if let Some(filling) = call.land(lead, conclusion.landing) {
        block_on(filling);
    }
    value
}

impl Call {
    /// Finds the value, or the lead; neither: the body runs by itself.
    async fn settle<R: Cached<S>, S>(
        &self,
        found: &mut Option<Found<Arc<R::Stored>>>,
    ) -> Option<Lead> {
        let accept = &mut |payload: &Payload, entry_version| {
            *found = payload
                .share(entry_version, self.version)
                .filter(fits::<R, S>);
            found.is_some()
        };
        match self.approach(accept).await {
            Step::Taken | Step::Run => None,
            Step::Lead(lead) => Some(lead),
        }
    }
}

/// Whether the return type can be built around what was found: a `None` that another function keeps under the
/// same key is a miss for one whose type has none.
fn fits<R: Cached<S>, S>(found: &Found<Arc<R::Stored>>) -> bool {
    matches!(found, Found::Value(_)) || R::none().is_some()
}

/// The return type around what was found, if it fits.
fn rebuild<R: Cached<S>, S>(found: Found<Arc<R::Stored>>) -> Option<R> {
    match found {
        Found::Value(value) => Some(R::wrap(value)),
        Found::Nothing => R::none(),
    }
}

/// What becomes of a computed value.
struct Conclusion<T> {
    landing: Landing,
    /// What is stored of it, where it is.
    stored: Found<Arc<T>>,
}

fn conclude<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: &Lead,
    value: &R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    started: Instant,
) -> Conclusion<R::Stored> {
    let shared = match value.verdict() {
        Peek::Err => {
            return Conclusion {
                landing: Landing::Keep,
                stored: Found::Nothing,
            };
        }
        // A type parameter that is an `Option` is its own value, `None` included.
        Peek::None if call.cache_none => value.share(),
        Peek::None => None,
        Peek::Value(_) => value.share(),
    };
    let Some(value) = shared else {
        let fill = call.cache_none.then(|| call.ttl_or_default(None)).flatten();
        let landing = match fill {
            Some(ttl) => call.landing(
                lead,
                Payload::Nothing,
                ttl,
                || 0,
                |facts| Ok(entry::nothing::<R::Stored>(facts)),
                started,
            ),
            None => Landing::Share(Payload::Nothing),
        };
        return Conclusion {
            landing,
            stored: Found::Nothing,
        };
    };
    let payload = Payload::typed(Arc::clone(&value));
    let ttl = if unless(&value) {
        None
    } else {
        call.ttl_or_default(value_ttl(&value).into_ttl())
    };
    let landing = match ttl {
        Some(ttl) => {
            let weight = || {
                size_of::<R::Stored>()
                    + measure::measure(&*value).map_or(0, |measure| measure.bytes)
            };
            call.landing(
                lead,
                payload,
                ttl,
                weight,
                |facts| entry::encode(&*value, facts),
                started,
            )
        }
        None => Landing::Share(payload),
    };
    Conclusion {
        landing,
        stored: Found::Value(value),
    }
}
