//! What a function with `stale`, `stale_if_error` or `early` does before its body may run.

use std::time::Duration;

use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::clock::Moment;
use crate::entry::Found;
use crate::key::writer::Rendered;
use crate::lookup::{Lookup, State, call, share_hit, with_key};
use crate::refresh::{Reason, Standing, early};
use crate::site::ReadSite;
use crate::value::shape::Cached;

/// Like [`begin_with`](crate::__private::begin_with). Where the store is in this process, a fresh hit that isn't due is answered here, and
/// the dice are thrown here, once for each call.
pub fn begin_refreshing<R, S, L>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    condition: bool,
    _: S,
    render: Rendered<'_>,
    ttl: L,
) -> Lookup<R, S>
where
    R: Cached<S>,
    L: FnOnce() -> Option<Duration>,
{
    Lookup::new(handle.with(|cache| {
        if !condition || !cache.inner().enabled {
            return State::Bypass;
        }
        with_key(site, cache, render, |key| {
            let due = match look::<R, S>(site, cache, key) {
                Glance::Hit(found) => return State::Hit(found),
                Glance::Due(fresh_until) => Some(fresh_until),
                Glance::Nothing => None,
            };
            let mut call = call(site, cache, key, ttl(), false);
            call.due = due;
            State::Pending(call)
        })
        .unwrap_or(State::Bypass)
    }))
}

enum Glance<T> {
    Hit(Found<T>),
    /// Fresh, and to be computed early.
    Due(Moment),
    Nothing,
}

fn look<R: Cached<S>, S>(
    site: &ReadSite,
    cache: &Cache,
    key: &str,
) -> Glance<std::sync::Arc<R::Stored>> {
    let inner = cache.inner();
    let here = inner.store.here(&inner.clock, site.info.options.near);
    let Some((now, sight)) = here.and_then(|(store, now)| Some((now, store.look(key, now)?)))
    else {
        return Glance::Nothing;
    };
    let early = |left| sight.paused_until <= now && early::is_due(left, sight.compute);
    match site.info.options.standing(sight.age(now), early) {
        Standing::Due(Reason::Early) => Glance::Due(sight.fresh_until),
        Standing::Fresh => match share_hit::<R, S>(site, cache, key, &sight.payload, sight.version)
        {
            Some(found) => Glance::Hit(found),
            None => Glance::Nothing,
        },
        Standing::Due(_) | Standing::Gone => Glance::Nothing,
    }
}
