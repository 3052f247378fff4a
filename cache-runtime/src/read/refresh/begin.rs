//! What a function with `stale`, `stale_if_error` or `early` does before its body may run.

use std::time::Duration;

use crate::current::Handle;
use crate::key::writer::Rendered;
use crate::read::fast_path::{Asked, Opened, Rest, Wanted, open_by};
use crate::read::lookup::{Lookup, given, wanted};
use crate::read::refresh::{Reason, Standing, early};
use crate::site::ReadSite;
use crate::store::memory::{Glance, Hit};
use crate::value::payload::Payload;
use crate::value::shape::{Cached, Returns};

/// Like [`begin_with`](crate::__private::begin_with). Where the store is in this process, a fresh hit that isn't due is answered here, and
/// the dice are thrown here, once for each call.
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
    let asked = Asked {
        site,
        render: &render,
    };
    let mut rest = Rest::Bypassed;
    let opened = open(asked, handle, condition, wanted::<R, S>, &mut rest);
    given(asked, handle, opened, rest, ttl)
}

/// Not generic, like what it is a variety of.
fn open(
    asked: Asked<'_>,
    handle: Handle<'_>,
    condition: bool,
    wanted: fn() -> Wanted,
    rest: &mut Rest,
) -> Opened {
    let (options, version) = (&asked.site.info.options, asked.site.info.version);
    open_by(
        asked,
        handle,
        condition,
        wanted,
        rest,
        |store, key, now, other| {
            let sight = store.look_by(key, now)?;
            let early = |left| sight.paused_until <= now && early::is_due(left, sight.compute);
            match options.standing(sight.age(now), early) {
                Standing::Due(Reason::Early) => *other = Glance::Due(sight.fresh_until),
                Standing::Fresh => match sight.payload {
                    Payload::Typed(value) if sight.version == version => return Some(value),
                    payload => {
                        *other = Glance::Other(Hit {
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
