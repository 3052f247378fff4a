//! What a function with `stale`, `stale_if_error` or `early` does before its body may run.

use std::time::Duration;

use crate::cache::Cache;
use crate::cache::current::Handle;
use crate::clock::Moment;
use crate::hit::{Asked, Lifetime, Opening, Take};
use crate::key::writer::Render;
use crate::lookup::{Lookup, begin_by, with_asked};
use crate::refresh::{Reason, Standing, early};
use crate::site::ReadSite;
use crate::value::shape::Cached;

/// Like [`begin`](crate::__private::begin). Where the store is in this process, a fresh hit that isn't due is answered here, and
/// the dice are thrown here, once for each call.
pub fn begin_refreshing<R, S, F, L>(
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

/// Renders the key and looks where the store is in this process; not generic, like what it is a variety of.
fn open(
    asked: &Asked<'_>,
    handle: Handle<'_>,
    condition: bool,
    take: &mut Take<'_>,
    lifetime: &mut Lifetime<'_>,
) -> Opening {
    handle.with(|cache| {
        if !condition || !cache.inner().enabled {
            return Opening::Bypassed;
        }
        let opening = asked.with_key(cache, |key, shown| {
            let due = match glance(asked.site, cache, key, take) {
                Glance::Hit => {
                    asked.hit(cache, key, shown);
                    return Opening::Answered;
                }
                Glance::Due(fresh_until) => Some(fresh_until),
                Glance::Nothing => None,
            };
            let mut call = Box::new(asked.call(cache, key, lifetime()));
            call.due = due;
            Opening::Missed(call)
        });
        opening.unwrap_or(Opening::Bypassed)
    })
}

enum Glance {
    /// Fresh, and taken.
    Hit,
    /// Fresh, and to be computed early.
    Due(Moment),
    Nothing,
}

#[inline]
fn glance(site: &ReadSite, cache: &Cache, key: &str, take: &mut Take<'_>) -> Glance {
    let inner = cache.inner();
    let here = inner.store.here(&inner.clock, site.info.options.near);
    let Some((now, sight)) = here.and_then(|(store, now)| Some((now, store.look(key, now)?)))
    else {
        return Glance::Nothing;
    };
    let early = |left| sight.paused_until <= now && early::is_due(left, sight.compute);
    match site.info.options.standing(sight.age(now), early) {
        Standing::Due(Reason::Early) => Glance::Due(sight.fresh_until),
        Standing::Fresh if take(sight.payload, sight.version) => Glance::Hit,
        Standing::Fresh | Standing::Due(_) | Standing::Gone => Glance::Nothing,
    }
}
