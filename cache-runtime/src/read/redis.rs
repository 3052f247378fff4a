//! Reading an entry in Redis: look it up, wait, or take the lease.

use std::sync::Arc;

use crate::entry::payload::Payload;
use crate::error::CacheError;
use crate::read::call::Call;
use crate::read::decision::{Accept, Decision};
use crate::read::lease::{LeaseWait, Looked, get_or_lead, take_over, wait_or_lead};
use crate::read::redis_stale;
use crate::store::near::NearCache;
use crate::store::redis::{Fetched, Found, RedisStore, may_be_stale};

/// Read an entry. The first look is a plain `GET`, so a hit costs nothing more; where a miss is
/// likely, the first look also takes the lease, so a miss costs a round trip less. A flight of this
/// process is joined only if its lease was seen after this call began, or if it has none yet: an
/// invalidation that returned before, in any process, has deleted the lease of an older one.
pub(crate) async fn read(call: &Call, store: &RedisStore, accept: &mut Accept<'_>) -> Decision {
    let mut wait = LeaseWait::new(call.wait_limit());
    let step = try_read(call, store, &mut wait, accept).await;
    wait.record(call);
    match step {
        Ok(step) => {
            call.note_outcome(&step);
            step
        }
        Err(error) => {
            call.store_failed(store, &error);
            Decision::Bypass
        }
    }
}

async fn try_read(
    call: &Call,
    store: &RedisStore,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Decision, CacheError> {
    if call.refresh {
        return take_over(call, store).await;
    }
    if !call.may_refresh() && try_near(call, store, accept) {
        return Ok(Decision::Hit);
    }
    let mut first = None;
    if call.is_miss_likely() {
        match get_or_lead(call, store, wait, accept).await? {
            Looked::Decided(step) => return Ok(step),
            Looked::Found(seen) => first = Some(Fetched::plain(seen)),
            Looked::Unknown => {}
        }
    }
    if call.may_refresh() {
        return Box::pin(redis_stale::read(call, store, wait, accept)).await;
    }
    loop {
        let mut look = match first.take() {
            Some(look) => look,
            None => store.fetch(&call.key, call.options.near).await?,
        };
        // An entry of another function that outlives its TTL.
        if may_be_stale(&look.seen) {
            return Box::pin(redis_stale::read(call, store, wait, accept)).await;
        }
        if let Found::Entry(bytes) = &look.seen
            && accept(&Payload::Encoded(Arc::clone(bytes)), call.version)
        {
            call.saw_in_redis(bytes);
            call.hit();
            return Ok(look
                .near_candidate()
                .map_or(Decision::Hit, Decision::HitFromRedis));
        }
        if let Some(step) = wait_or_lead(call, store, look.seen, wait, accept).await? {
            return Ok(step);
        }
    }
}

/// Whether the near cache answers the call. Calls of annotated functions have looked there
/// already, so only explicit operations get a hit here.
pub(crate) fn try_near(call: &Call, store: &RedisStore, accept: &mut Accept<'_>) -> bool {
    let usable = store.near().filter(|_| call.options.near);
    let hit = usable
        .and_then(NearCache::usable)
        .and_then(|(entries, now)| entries.get(&call.key, now));
    let is_near = hit.is_some_and(|hit| accept(&hit.payload, hit.version));
    if is_near {
        call.near_hit();
    }
    is_near
}
