//! What a function with `#[cacheable]` does before its body may run: it renders the key and, where the store is in
//! this process, looks there. The generic shell around `hit.rs`.

use std::any::type_name;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::background::block_on;
use crate::cache::current::Handle;
use crate::call::{Call, Lead};
use crate::entry::Found;
use crate::error::CacheError;
use crate::hit::{Asked, Lifetime, Opening, Take, open};
use crate::key::writer::Render;
use crate::site::{Origin, ReadSite};
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
        Self::new(State::Pending(Box::new(call)))
    }
}

/// What misses is boxed, so that a hit is three words.
pub(crate) enum State<T> {
    Hit(Found<Arc<T>>),
    Bypass,
    Pending(Box<Call>),
    /// It is known already that this call computes.
    Leading(Box<(Call, Lead)>),
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
    with_asked(site, &render, |asked| {
        begin_by(asked, ttl, |take, lifetime| {
            open(asked, handle, condition, take, lifetime)
        })
    })
}

/// Like [`begin`], with another look.
#[inline]
pub(crate) fn begin_by<R: Cached<S>, S>(
    asked: &Asked<'_>,
    ttl: impl FnOnce() -> Option<Duration>,
    open: impl FnOnce(&mut Take<'_>, &mut Lifetime<'_>) -> Opening,
) -> Lookup<R, S> {
    let (mut found, mut ttl) = (None, Some(ttl));
    let opening = open(
        &mut |payload, version| {
            found = payload
                .into_shared(version, asked.site.info.version)
                .filter(fits::<R, S>);
            found.is_some()
        },
        &mut || ttl.take().and_then(|ttl| ttl()),
    );
    Lookup::new(match (opening, found) {
        (Opening::Answered, Some(found)) => State::Hit(found),
        (Opening::Missed(call), _) => State::Pending(call),
        _ => State::Bypass,
    })
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
        let pending = with_asked(site, &render, |asked| {
            asked.with_key(cache, |key, _| {
                let mut call = asked.call(cache, key, ttl());
                call.refresh = true;
                State::Pending(Box::new(call))
            })
        });
        pending.unwrap_or(State::Bypass)
    });
    Lookup::new(state)
}

/// The full key of a call.
pub fn cache_key<F: Render>(site: &'static ReadSite, handle: Handle<'_>, render: F) -> String {
    handle.with(|cache| {
        with_asked(site, &render, |asked| {
            asked.with_key(cache, |key, _| cache.full_key(key))
        })
        .unwrap_or_default()
    })
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
        let key = with_asked(site, &render, |asked| {
            asked.with_key(cache, |key, _| Arc::<str>::from(key))
        })?;
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

/// Takes its type from what writes the key.
#[inline]
pub(crate) fn with_asked<T, F: Render>(
    site: &'static ReadSite,
    render: &F,
    use_it: impl FnOnce(&Asked<'_>) -> T,
) -> T {
    use_it(&Asked {
        site,
        instance: type_name::<F::Closure>(),
        write: &|writer| render.render(writer),
    })
}

/// Whether the return type can be built around what was found: a `None` that another function keeps under the
/// same key is a miss for one whose type has none.
#[inline]
pub(crate) fn fits<R: Cached<S>, S>(found: &Found<Arc<R::Stored>>) -> bool {
    matches!(found, Found::Value(_)) || R::none().is_some()
}
