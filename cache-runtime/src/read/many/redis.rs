//! Looking up many items in Redis: one round trip to read them, and one to take the leases of all
//! that are missing.

use std::sync::Arc;
use std::task::Context;

use futures_util::future::join_all;

use super::{Item, ItemState};
use crate::entry::payload::Payload;
use crate::entry::{self, Bytes};
use crate::error::CacheError;
use crate::flight::{JoinOutcome, Leader, leased, nesting};
use crate::read::decision::{Decision, Lead};
use crate::read::lease::{join_or_lead, request_lease};
use crate::read::redis::try_near;
use crate::stats::Counter;
use crate::store::redis::{Found, Holder, Lease, RedisStore, RemainingTtl, header_of};
use crate::value::Storable;

/// Look up the pending items, and lead those that are missing. A failure of the store isn't the
/// caller's error: the body runs for the items that were pending.
pub(super) async fn look<T: Storable>(items: &mut [Item<T>], store: &RedisStore) {
    if let Err(error) = try_look(items, store).await {
        let pending = items.iter_mut().filter(|item| item.is_pending());
        for (number, item) in pending.enumerate() {
            if let Some(call) = &item.call {
                // Logged once for the batch.
                match number {
                    0 => call.store_failed(store, &error),
                    _ => call.count(Counter::of(&error)),
                }
            }
            item.decided(Decision::Bypass, None);
        }
    }
}

async fn try_look<T: Storable>(
    items: &mut [Item<T>],
    store: &RedisStore,
) -> Result<(), CacheError> {
    let mut pending: Vec<&mut Item<T>> =
        items.iter_mut().filter(|item| item.is_pending()).collect();
    pending.retain_mut(|item| !item.take_near(store));
    if pending.is_empty() {
        return Ok(());
    }
    let keys = pending.iter().filter_map(|item| item.key()).collect();
    let looks = store.look_many(keys).await?;
    let mut missing = Vec::new();
    let mut leased_elsewhere = Vec::new();
    for (item, (seen, left)) in pending.into_iter().zip(looks) {
        match item.classify(store, seen, left) {
            Seen::Settled => {}
            Seen::Missing(seen) => missing.push((item, seen)),
            Seen::Leased(token, bytes) => leased_elsewhere.push((item, token, bytes)),
        }
    }
    missing.extend(wait_or_replace(leased_elsewhere, store).await?);
    lead(missing, store).await
}

/// Content of an item's key.
enum Seen {
    /// The item's state says what to do.
    Settled,
    /// Nothing that is usable.
    Missing(Found),
    /// A lease of another process, with its bytes.
    Leased(u64, Bytes),
}

impl<T: Storable> Item<T> {
    fn key(&self) -> Option<Arc<str>> {
        self.call.as_ref().map(|call| Arc::clone(&call.key))
    }

    /// Take the value from the near cache. Returns whether it was there.
    fn take_near(&mut self, store: &RedisStore) -> bool {
        let Some(call) = &self.call else { return true };
        let mut found = None;
        let is_near = try_near(call, store, &mut call.accept(self.none, &mut found));
        if is_near {
            self.decided(Decision::Hit, found);
        }
        is_near
    }

    /// Take the entry that was read, or find out who computes it.
    fn classify(&mut self, store: &RedisStore, seen: Found, left: Option<RemainingTtl>) -> Seen {
        let Some(call) = &self.call else {
            return Seen::Settled;
        };
        let (token, bytes) = match seen {
            Found::Lease(token, bytes) => (token, bytes),
            Found::Entry(bytes) => {
                let mut found = None;
                let is_fresh = is_fresh(&bytes, left);
                let payload = Payload::Encoded(Arc::clone(&bytes));
                if is_fresh && call.accept(self.none, &mut found)(&payload, call.version) {
                    call.hit();
                    self.decided(Decision::Hit, found);
                    return Seen::Settled;
                }
                match claim(&bytes, left).filter(|_| !is_fresh) {
                    Some(claim) => (claim, bytes),
                    None => return Seen::Missing(Found::Entry(bytes)),
                }
            }
            other => return Seen::Missing(other),
        };
        if nesting::holds(token) {
            self.decided(Decision::Bypass, None);
            return Seen::Settled;
        }
        if let Some(flight) = leased::find(token) {
            self.state = ItemState::Joined(flight);
            return Seen::Settled;
        }
        match store.is_orphan(token) {
            true => Seen::Missing(Found::Entry(bytes)),
            false => Seen::Leased(token, bytes),
        }
    }
}

/// Whether an entry's TTL hasn't ended.
fn is_fresh(bytes: &Bytes, left: Option<RemainingTtl>) -> bool {
    match left.flatten() {
        Some(left) => left > entry::grace(bytes),
        None => true,
    }
}

/// Return the claim on a value whose TTL has ended.
fn claim(bytes: &Bytes, left: Option<RemainingTtl>) -> Option<u64> {
    let header = header_of(&Found::Entry(Arc::clone(bytes)))?;
    match Holder::of(&header, left.flatten()) {
        Holder::Claim(claim) => Some(claim),
        Holder::Free | Holder::Pause => None,
    }
}

/// Wait for the holders of leases in other processes. Returns the items whose leases never expire:
/// they are junk, and are replaced.
async fn wait_or_replace<'a, T: Storable>(
    leased: Vec<(&'a mut Item<T>, u64, Bytes)>,
    store: &RedisStore,
) -> Result<Vec<(&'a mut Item<T>, Found)>, CacheError> {
    let asked = leased.into_iter().map(|(item, token, bytes)| async move {
        // Asked once for each lease: a lease that has a TTL keeps it.
        let is_junk = match item.key() {
            Some(key) if !item.wait.is_known_to_expire(token) => store.is_eternal(&key).await?,
            _ => false,
        };
        if is_junk {
            return Ok(Some((item, Found::Entry(bytes))));
        }
        item.wait.set_known_to_expire(token);
        // As in `read/lease.rs`: neither waited for nor stored.
        if entry::is_write_lease(&bytes) {
            item.decided(Decision::Bypass, None);
            return Ok(None);
        }
        item.state = ItemState::Elsewhere(token);
        Ok(None)
    });
    let asked = join_all(asked).await.into_iter();
    asked.filter_map(Result::transpose).collect()
}

/// Lead the missing items, and take all of their leases together.
async fn lead<T: Storable>(
    missing: Vec<(&mut Item<T>, Found)>,
    store: &RedisStore,
) -> Result<(), CacheError> {
    let mut leaders = Vec::new();
    let mut wanted: Vec<(Lease, Found)> = Vec::new();
    for (item, seen) in missing {
        let Some(call) = &item.call else { continue };
        match join_or_lead(call, &mut item.wait) {
            JoinOutcome::Join(flight) => item.state = ItemState::Joined(flight),
            JoinOutcome::Nested | JoinOutcome::Writing | JoinOutcome::Found(()) => {
                item.decided(Decision::Bypass, None)
            }
            // Looked up once more.
            JoinOutcome::Retry => {}
            JoinOutcome::Lead(leader) => {
                wanted.push((request_lease(call, store, &leader), seen));
                leaders.push((item, leader));
            }
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let taken = {
        let mut taking = std::pin::pin!(store.take_many(wanted));
        let poll = |cx: &mut Context<'_>| {
            polled(leaders.iter().map(|(_, leader)| leader), cx);
            taking.as_mut().poll(cx)
        };
        std::future::poll_fn(poll).await?
    };
    for ((item, leader), lease) in leaders.into_iter().zip(taken) {
        // Without a lease, the content has changed since it was read: look once more.
        if let Some(lease) = lease {
            item.decided(Decision::Compute(Lead::with_lease(leader, lease)), None);
        }
    }
    Ok(())
}

/// Record a poll of the leaders for their waiters.
fn polled<'a>(leaders: impl Iterator<Item = &'a Leader>, cx: &Context<'_>) {
    leaders.for_each(|leader| drop(leader.polled(cx.waker())));
}
