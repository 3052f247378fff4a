//! The lookup of a function with `audit`.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Cache;
use crate::current::Handle;
use crate::key::writer::Rendered;
use crate::read::audit::Ticket;
use crate::read::fast_path::{Expected, MemoryHit, Miss, Request, try_hit_with};
use crate::read::lookup::{Lookup, LookupState, expected, into_lookup};
use crate::read::presets::Presets;
use crate::read::refresh::{early, fresh};
use crate::site::{AuditRate, ReadSite};
use crate::store::Store;
use crate::value::shape::{Cached, Returns};

/// Like [`begin_with`](crate::__private::begin_with) or, for a function that refreshes,
/// [`begin_refreshing`](crate::__private::begin_refreshing). A call that is drawn for an audit isn't
/// answered here: [`audited`](super::audited) looks for its entry, and notes it.
pub fn begin_audited<R, S, L>(
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
    let is_drawn = is_drawn(site, handle);
    let expected = expected::<R, S>;
    let hit = try_hit(request, handle, condition, is_drawn, expected, &mut miss);
    let mut lookup = into_lookup(request, handle, hit, miss, ttl);
    if is_drawn && let LookupState::Pending(call) = &mut lookup.state {
        call.audit = Some(Arc::new(Ticket::new(site)));
    }
    lookup
}

/// Not generic, like `fast_path::try_hit`.
fn try_hit(
    request: Request<'_>,
    handle: Handle<'_>,
    condition: bool,
    is_drawn: bool,
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
        |store, key, now, other| {
            if is_drawn {
                return None;
            }
            match options.may_refresh() {
                true => fresh(options, version, store, key, now, other),
                false => store.get_typed(key, now, version, other),
            }
        },
    )
}

/// Whether this call is to be audited, if it is a hit.
fn is_drawn(site: &'static ReadSite, handle: Handle<'_>) -> bool {
    let own = match site.info.audit {
        AuditRate::Never => return false,
        AuditRate::OfCache => None,
        AuditRate::Own(rate) => Some(rate),
    };
    let drawn = early::unit();
    let within = |rate: f64| rate > 0.0 && drawn <= rate;
    // Nearly always that is the end of it.
    if own.is_some_and(|rate| !within(rate)) {
        return false;
    }
    let first = || site.info.first_call();
    handle.lend_to_read(first, |cache| {
        within(own.unwrap_or(cache.inner().audits.rate)) && may_audit(cache)
    })
}

/// Whether an audit could begin now: none runs, and the store is within reach.
fn may_audit(cache: &Cache) -> bool {
    let inner = cache.inner();
    let is_reachable = match &inner.store {
        Store::Memory(_) => true,
        #[cfg(feature = "redis")]
        Store::Redis(store) => !store.is_down(),
    };
    is_reachable && inner.audits.is_free()
}
