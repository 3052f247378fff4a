//! What a function with `#[cacheable]` does before its body may run: it renders the key and, where the store is in
//! this process, looks there. The generic shell around `hit.rs`.

use std::any::{TypeId, type_name};
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::background::block_on;
use crate::cache::current::Handle;
use crate::call::{Call, Lead};
use crate::entry::Found;
use crate::error::CacheError;
use crate::hit::{Asked, Missed, Opening, Wanted, open};
use crate::key::writer::Render;
use crate::site::{Origin, ReadSite};
use crate::ttl::Ttl;
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
    let opening = with_asked(site, &render, |asked| {
        open(asked, handle, condition, wanted::<R, S>())
    });
    opened(site, opening, ttl)
}

#[inline]
pub(crate) fn wanted<R: Cached<S>, S>() -> Wanted {
    Wanted {
        stored: TypeId::of::<R::Stored>(),
        none: R::none().is_some(),
    }
}

/// What is known then.
#[inline]
pub(crate) fn opened<R: Cached<S>, S>(
    site: &'static ReadSite,
    opening: Opening,
    ttl: impl FnOnce() -> Option<Duration>,
) -> Lookup<R, S> {
    Lookup::new(match opening {
        Opening::Hit(value) => match value.downcast() {
            Ok(value) => State::Hit(Found::Value(value)),
            // It isn't: its type was compared.
            Err(_) => State::Bypass,
        },
        Opening::Nothing => State::Hit(Found::Nothing),
        Opening::Missed(missed) => go_on::<R, S>(site, *missed, ttl),
        Opening::Bypassed => State::Bypass,
    })
}

#[cold]
#[inline(never)]
fn go_on<R: Cached<S>, S>(
    site: &'static ReadSite,
    missed: Missed,
    ttl: impl FnOnce() -> Option<Duration>,
) -> State<R::Stored> {
    let Missed { mut call, other } = missed;
    let found = other.and_then(|(payload, version)| payload.into_shared(version, call.version));
    if let Some(found) = found.filter(fits::<R, S>) {
        call.hit();
        return State::Hit(found);
    }
    if matches!(site.info.ttl, Ttl::Default | Ttl::Computed) {
        call.ttl = ttl();
    }
    State::Pending(Box::new(call))
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
            asked.with_key(cache, |key| {
                let mut call = Box::new(asked.call(cache, key));
                call.refresh = true;
                if matches!(site.info.ttl, Ttl::Default | Ttl::Computed) {
                    call.ttl = ttl();
                }
                State::Pending(call)
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
            asked.with_key(cache, |key| cache.full_key(key))
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
            asked.with_key(cache, |key| Arc::<str>::from(key))
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
