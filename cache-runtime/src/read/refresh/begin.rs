//! The lookup of a function with `stale`, `stale_if_error` or `early`.

use std::time::Duration;

use crate::current::Handle;
use crate::key::writer::Rendered;
use crate::read::fast_path::{Expected, MemoryHit, Miss, Request, try_hit_with};
use crate::read::lookup::{Lookup, expected, into_lookup};
use crate::read::refresh::{Reason, Standing, early};
use crate::site::ReadSite;
use crate::store::memory::{Hit, Unmatched};
use crate::value::payload::Payload;
use crate::value::shape::{Cached, Returns};

/// Like [`begin_with`](crate::__private::begin_with). If the store is in this process, a fresh hit
/// that isn't due is answered here. The random number for an early refresh is drawn here, once for
/// each call.
pub fn begin_refreshing<R, S, L>(
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

/// Not generic, like `fast_path::open`.
fn open(
    request: Request<'_>,
    handle: Handle<'_>,
    condition: bool,
    expected: fn() -> Expected,
    rest: &mut Miss,
) -> MemoryHit {
    let (options, version) = (&request.site.info.options, request.site.info.version);
    try_hit_with(
        request,
        handle,
        condition,
        expected,
        rest,
        |store, key, now, other| {
            let sight = store.get_stale_by(key, now)?;
            let early = |left| sight.paused_until <= now && early::is_due(left, sight.compute);
            match options.standing(sight.age(now), early) {
                Standing::Due(Reason::Early) => *other = Unmatched::Due(sight.fresh_until),
                Standing::Fresh => match sight.payload {
                    Payload::Typed(value) if sight.version == version => return Some(value),
                    payload => {
                        *other = Unmatched::Entry(Hit {
                            payload,
                            version: sight.version,
                            fresh_until: sight.fresh_until,
                        });
                    }
                },
                Standing::Due(_) | Standing::Gone => {}
            }
            None
        },
    )
}
