//! A call before its body may run: it renders the key, and takes the lease.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::core::Cache;
use crate::current::{Handle, is_uncached};
use crate::key::writer::{Rendered, with_rendering};
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::read::fast_path::Request;
use crate::read::presets::Presets;
use crate::site::{ReadSite, registry};
use crate::stats::Counter;
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::RedisStore;
use crate::transaction::{Began, Invalidations};

use crate::write_through::writing::{Extent, Writing, WrittenThrough};

/// A call of a function with `#[write_through]`, or of the handle, whose body hasn't begun.
pub struct WriteThrough {
    /// `None` if the cache is disabled.
    call: Option<(Box<Call>, Extent)>,
    /// The transaction whose commit the value waits for. Boxed: few calls have one.
    transaction: Option<Box<(Invalidations, Began)>>,
}

impl fmt::Debug for WriteThrough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call.as_ref();
        f.debug_struct("WriteThrough")
            .field("key", &call.map(|(call, _)| &call.key))
            .finish_non_exhaustive()
    }
}

/// Render the key of a call.
pub fn begin_write_through(
    site: &'static ReadSite,
    handle: Handle<'_>,
    render: Rendered<'_>,
    ttl: impl FnOnce(&Presets<'_>) -> Option<Duration>,
) -> WriteThrough {
    let call = handle.lend(
        || site.info.first_call(),
        |cache| rendered(site, cache, &render, ttl),
    );
    WriteThrough {
        call,
        transaction: None,
    }
}

/// Like [`begin_write_through`], for a call within a transaction: the value is stored after its
/// commit. Without a collector, the call is like any other.
pub fn begin_write_through_in(
    site: &'static ReadSite,
    collector: Option<Invalidations>,
    render: Rendered<'_>,
    ttl: impl FnOnce(&Presets<'_>) -> Option<Duration>,
) -> WriteThrough {
    let Some(collector) = collector else {
        return begin_write_through(site, Handle::Current, render, ttl);
    };
    let call = rendered(site, collector.cache(), &render, ttl);
    let began = collector.began();
    WriteThrough {
        call,
        transaction: Some(Box::new((collector, began))),
    }
}

/// Return the call and its extent; `None` if the cache is disabled.
fn rendered(
    site: &'static ReadSite,
    cache: &Cache,
    render: &Rendered<'_>,
    ttl: impl FnOnce(&Presets<'_>) -> Option<Duration>,
) -> Option<(Box<Call>, Extent)> {
    let inner = cache.inner();
    if !inner.enabled {
        return None;
    }
    with_rendering(|rendering| {
        site.render_template(rendering, render);
        let request = Request { site, render };
        let mut call = Box::new(request.call(cache, &rendering.text.to_str()));
        if rendering.failed() {
            let reason = rendering.failure.take().unwrap_or_default();
            inner.counters.add(site.number(), Counter::NoKey, 1);
            cache.log_unkeyed_write(site.into(), site.info.template, &reason);
            return Some((call, Extent::Pattern));
        }
        if site.info.ttl.is_computed() {
            call.ttl = ttl(&call.presets());
        }
        Some((call, extent(site, cache)))
    })
}

/// Return which entries a value of this site makes old. It can replace the one of its path, but not
/// several: those of a function of this program, or, by a name of the site's `context` that the key
/// doesn't mention, those of any program whose functions read with the same `context`.
fn extent(site: &'static ReadSite, cache: &Cache) -> Extent {
    let reader = registry::variants_of(site.info.shape);
    if reader.is_none() && !site.info.varies {
        return Extent::Entry;
    }
    cache.log_variants(site.into(), site.info.template, reader);
    Extent::Path
}

/// A lease that is being taken.
pub(crate) type TakingLease = Pin<Box<dyn Future<Output = Writing> + Send>>;

impl WriteThrough {
    /// Return the write-through of an explicit operation, whose key is known.
    pub(crate) fn of_call(call: Call) -> Self {
        let enabled = call.cache.inner().enabled;
        Self {
            call: enabled.then(|| (Box::new(call), Extent::Entry)),
            transaction: None,
        }
    }

    /// Take the key's lease, so that the body may run. In memory, it is taken now.
    ///
    /// Cancel safe: a lease that is being taken is given back once it has been taken.
    pub(crate) fn begin(self) -> Result<Option<Writing>, TakingLease> {
        let Self { call, transaction } = self;
        let Some((call, extent)) = call else {
            return Ok(None);
        };
        let earlier = transaction
            .as_ref()
            .filter(|_| extent == Extent::Entry)
            .and_then(|transaction| transaction.0.take_written(&call.key));
        if let Some(lead) = earlier.and_then(WrittenThrough::into_lead) {
            // The same transaction has written the key before, and the order of the two is known.
            return Ok(Some(Writing::new((call, extent), lead, transaction)));
        }
        // Code within a transaction runs uncached, and doesn't name it here: its value may never be
        // committed.
        if extent != Extent::Entry || is_uncached() && transaction.is_none() {
            let lead = unlisted(&call);
            return Ok(Some(Writing::new(
                (call, extent),
                (lead, false),
                transaction,
            )));
        }
        match &call.cache.inner().store {
            Store::Memory(store) => {
                let inner = call.cache.inner();
                let until = Instant::now() + inner.wait_timeout;
                let (leader, is_contested, outdated) =
                    inner
                        .flights
                        .begin_write(&call.key, until, || store.take(&call.key));
                drop(outdated);
                let lead = Lead::in_memory(leader);
                Ok(Some(Writing::new(
                    (call, extent),
                    (lead, !is_contested),
                    transaction,
                )))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let store = store.clone();
                Err(Box::pin(async move {
                    let (lead, may_fill) = leased(&call, &store).await;
                    Writing::new((call, extent), (lead, may_fill), transaction)
                }))
            }
        }
    }
}

/// Return a lead that no other caller learns of.
fn unlisted(call: &Call) -> Lead {
    Lead::in_memory(call.cache.inner().flights.begin_unlisted(&call.key))
}

/// Take the lease in Redis. Without one, the body runs, and the key is invalidated afterwards.
#[cfg(feature = "redis")]
async fn leased(call: &Call, store: &RedisStore) -> (Lead, bool) {
    let mut lead = unlisted(call);
    let lease = store.new_lease(std::sync::Arc::clone(&call.key));
    match store.take_write(lease).await {
        Ok(lease) => lead.lease = Some(lease),
        Err(error) => call.store_failed(store, &error),
    }
    let may_fill = lead.lease.is_some();
    (lead, may_fill)
}
