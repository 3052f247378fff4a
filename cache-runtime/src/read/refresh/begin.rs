//! The lookup of a function with `stale`, `stale_if_error` or `early`.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::current::Handle;
use crate::entry::payload::{Payload, Value};
use crate::key::text::Text;
use crate::key::writer::Rendered;
use crate::read::fast_path::{Expected, MemoryHit, Miss, Request, try_hit_with};
use crate::read::freshness::{Freshness, Reason};
use crate::read::lookup::{Lookup, expected, into_lookup};
use crate::read::presets::Presets;
use crate::read::refresh::early;
use crate::site::{ReadOptions, ReadSite};
use crate::store::memory::{Hit, MemoryStore, Unmatched};
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

/// Not generic, like `fast_path::try_hit`.
fn try_hit(
    request: Request<'_>,
    handle: Handle<'_>,
    condition: bool,
    expected: fn() -> Expected,
    miss: &mut Miss,
) -> MemoryHit {
    let (options, version) = (&request.site.info.options, request.site.info.version);
    try_hit_with(
        request,
        handle,
        condition,
        expected,
        miss,
        |store, key, now, other| fresh(options, version, store, key, now, other),
    )
}

/// Return a value that is fresh and isn't due for an early refresh; any other result goes to `other`.
#[inline(always)]
pub(crate) fn fresh(
    options: &ReadOptions,
    version: u32,
    store: &MemoryStore,
    key: &Text,
    now: Moment,
    other: &mut Unmatched,
) -> Option<Arc<dyn Value>> {
    let hit = store.get_stale_rendered(key, now)?;
    let early = |left| hit.paused_until <= now && early::is_due(left, hit.compute);
    match options.freshness(hit.age(now), early) {
        Freshness::Due(Reason::Early) => *other = Unmatched::Due(hit.fresh_until),
        Freshness::Fresh => match hit.payload {
            Payload::Typed(value) if hit.version == version => return Some(value),
            payload => {
                *other = Unmatched::Entry(Hit {
                    payload,
                    version: hit.version,
                    fresh_until: hit.fresh_until,
                });
            }
        },
        Freshness::Due(_) | Freshness::Gone => {}
    }
    None
}
