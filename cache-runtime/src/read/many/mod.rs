//! Reading many entries by one call: what is cached isn't computed again, and one run of the body
//! computes the rest.
//!
//! Each item has its own entry, flight and lease, as if it were read by a call of its own. A batch
//! never waits while it holds a lead: it first computes and fills what it leads, then waits for the
//! items of other callers, and leads those whose callers failed. So two batches can't wait for each
//! other, whatever the order of their items.

#[cfg(feature = "redis")]
mod redis;
pub(crate) mod round;
pub(crate) mod run;

use std::mem;
use std::sync::Arc;
#[cfg(feature = "redis")]
use std::time::{Duration, Instant};

use crate::core::Cache;
use crate::entry::CachedValue;
use crate::flight::Flight;
use crate::read::call::{Call, WaitBudget};
use crate::read::decision::{Decision, Lead};
#[cfg(feature = "redis")]
use crate::read::lease::{LeaseWait, Next};
use crate::read::memory;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::value::Storable;
use round::{Own, Round};

/// The items of one call.
pub(crate) struct Batch<T> {
    cache: Cache,
    items: Vec<Item<T>>,
}

/// One item of a batch.
struct Item<T> {
    /// `None` once the item is in a round, and if it bypasses the cache from the beginning.
    call: Option<Box<Call>>,
    state: ItemState<T>,
    /// Whether a cached `None` is usable.
    none: bool,
    #[cfg(feature = "redis")]
    wait: LeaseWait,
    /// How long the item has waited for another process.
    #[cfg(feature = "redis")]
    waited: Duration,
    #[cfg(not(feature = "redis"))]
    wait: MemoryWait,
}

#[cfg(not(feature = "redis"))]
struct MemoryWait {
    limit: WaitBudget,
}

/// Progress of one item.
enum ItemState<T> {
    /// To be looked up.
    Pending,
    /// Another caller of this process computes it.
    Joined(Arc<Flight>),
    /// Another process computes it.
    #[cfg(feature = "redis")]
    Elsewhere(u64),
    /// The store holds it, or another caller has computed it.
    Found(CachedValue<Arc<T>>),
    /// This call computes it.
    Leading(Lead),
    /// This call computes it and stores nothing.
    Bypass,
    /// In a round.
    Handed,
}

impl<T: Storable> Batch<T> {
    /// Without a call, an item bypasses the cache. `none`: a cached `None` is usable.
    pub(crate) fn new(
        cache: Cache,
        calls: impl IntoIterator<Item = Option<Call>>,
        none: bool,
    ) -> Self {
        let limit = cache.inner().wait_timeout;
        let items = calls.into_iter().map(|call| Item {
            state: match call {
                Some(_) => ItemState::Pending,
                None => ItemState::Bypass,
            },
            call: call.map(Box::new),
            none,
            #[cfg(feature = "redis")]
            wait: LeaseWait::new(limit),
            #[cfg(feature = "redis")]
            waited: Duration::ZERO,
            #[cfg(not(feature = "redis"))]
            wait: MemoryWait {
                limit: WaitBudget::new(limit),
            },
        });
        let items = items.collect();
        Self { cache, items }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Return the next items to compute; none when all of them are computed or found.
    ///
    /// Cancel safe: flights and leases that were begun are given back on drop.
    pub(crate) async fn next(&mut self) -> Round {
        loop {
            self.wait().await;
            self.look().await;
            let round = self.take_round();
            if !round.is_empty() || !self.items.iter().any(Item::is_open) {
                return round;
            }
        }
    }

    /// Wait for the items that other callers compute.
    async fn wait(&mut self) {
        // The pauses between looks at other processes' leases are taken together.
        #[cfg(feature = "redis")]
        futures_util::future::join_all(self.items.iter_mut().map(Item::wait)).await;
        #[cfg(not(feature = "redis"))]
        for item in &mut self.items {
            item.wait().await;
        }
    }

    /// Look up the pending items, and lead those that are missing.
    async fn look(&mut self) {
        let cache = self.cache.clone();
        match &cache.inner().store {
            Store::Memory(store) => {
                let pending = self.items.iter_mut().filter(|item| item.is_pending());
                pending.for_each(|item| item.look_in_memory(store));
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => redis::look(&mut self.items, store).await,
        }
    }

    /// Take the items that this call computes.
    fn take_round(&mut self) -> Round {
        let mut own = Vec::new();
        for (place, item) in self.items.iter_mut().enumerate() {
            let lead = match mem::replace(&mut item.state, ItemState::Handed) {
                ItemState::Leading(lead) => Some(lead),
                ItemState::Bypass => None,
                other => {
                    item.state = other;
                    continue;
                }
            };
            own.push(Own::new(place, item.call.take(), lead));
        }
        if !own.is_empty() {
            // The body takes its time, and it isn't waiting.
            self.items.iter_mut().for_each(Item::look_again);
        }
        Round::new(own)
    }

    /// Return what was found, by place.
    pub(crate) fn into_found(self) -> impl Iterator<Item = (usize, CachedValue<Arc<T>>)> {
        let items = self.items.into_iter().enumerate();
        items.filter_map(|(place, item)| match item.state {
            ItemState::Found(found) => Some((place, found)),
            _ => None,
        })
    }
}

impl<T: Storable> Item<T> {
    fn is_pending(&self) -> bool {
        matches!(self.state, ItemState::Pending)
    }

    fn is_open(&self) -> bool {
        !matches!(self.state, ItemState::Found(_) | ItemState::Handed)
    }

    /// Begin the time limit again, and look before the next wait for another process.
    fn look_again(&mut self) {
        let Some(call) = &self.call else { return };
        self.wait.limit = WaitBudget::new(call.cache.inner().wait_timeout);
        #[cfg(feature = "redis")]
        if let ItemState::Elsewhere(_) = self.state {
            self.state = ItemState::Pending;
        }
    }

    /// Wait for another caller, if one computes the item.
    async fn wait(&mut self) {
        let Some(call) = &self.call else { return };
        match mem::replace(&mut self.state, ItemState::Pending) {
            ItemState::Joined(flight) => {
                let mut found = None;
                let mut accept = call.accept(self.none, &mut found);
                let step = call.wait(flight, &mut self.wait.limit, &mut accept).await;
                drop(accept);
                if let Some(step) = step {
                    self.decided(step, found);
                }
            }
            #[cfg(feature = "redis")]
            ItemState::Elsewhere(token) => {
                let begun = Instant::now();
                let next = self.wait.pause(token).await;
                self.waited += begun.elapsed();
                if let Next::Decided(step) = next {
                    self.decided(step, None);
                }
            }
            other => self.state = other,
        }
    }

    /// Record a decision with the value that was accepted.
    fn decided(&mut self, step: Decision, found: Option<CachedValue<Arc<T>>>) {
        if let Some(call) = &self.call {
            call.count_miss(&step);
            #[cfg(feature = "redis")]
            if !self.waited.is_zero() {
                call.waited(mem::take(&mut self.waited));
            }
        }
        self.state = match (step, found) {
            (Decision::Compute(lead), _) => ItemState::Leading(lead),
            (Decision::Bypass, _) | (_, None) => ItemState::Bypass,
            (_, Some(found)) => ItemState::Found(found),
        };
    }

    fn look_in_memory(&mut self, store: &MemoryStore) {
        let Some(call) = &self.call else { return };
        let mut found = None;
        let mut accept = call.accept(self.none, &mut found);
        // Most items are cached, and need no look at the flights.
        let hit = store.get(&call.key, call.cache.inner().clock.now());
        if hit.is_some_and(|hit| accept(&hit.payload, hit.version)) {
            drop(accept);
            call.hit();
            return self.decided(Decision::Hit, found);
        }
        let step = memory::join_or_lead(call, store, &mut false, &mut accept);
        drop(accept);
        match step {
            Ok(step) => self.decided(step, found),
            Err(flight) => self.state = ItemState::Joined(flight),
        }
    }
}
