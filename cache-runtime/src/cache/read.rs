//! Reading an entry step by step: `Cache::read`.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

#[cfg(feature = "redis")]
use crate::clock::unix_millis;
use crate::clock::{Moment, Stopwatch};
use crate::core::Cache;
use crate::current::is_uncached;
#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::events;
use crate::key::recent::push_variant_of;
use crate::key::text::Text;
use crate::read::call::Call;
use crate::read::decision::{Decision, Lead};
use crate::read::fill::conclude::{finish, unless_unset};
use crate::read::freshness::Reason;
use crate::read::lookup::fits;
use crate::read::staleness::{HasStaleness, StalenessOf, staleness_of};
use crate::site::{Origin, ReadOptions, ReadSite};
use crate::stats::Counter;
#[cfg(feature = "redis")]
use crate::store::Store;
use crate::tally;
use crate::ttl::IntoTtl;
use crate::value::Storable;
use crate::value::shape::InArc;

impl Cache {
    /// Begin to read an entry step by step, for code that an attribute and
    /// [`get_or_set`](Cache::get_or_set) don't fit: a layer that decides by the computed value
    /// whether and for how long it is stored, or whether other callers may have it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use cache_runtime::{Cache, Reading};
    ///
    /// async fn page(cache: &Cache, path: &str) -> Arc<String> {
    ///     let reading = cache.read(path).ttl(60).begin::<String>().await;
    ///     let fill = match reading {
    ///         Reading::Hit(found) => return found.into_value(),
    ///         Reading::Due(_, fill) | Reading::Miss(fill) => fill,
    ///         // Without the cache.
    ///         _ => return Arc::new(render(path).await),
    ///     };
    ///     let page = Arc::new(fill.within(render(path)).await);
    ///     match page.contains("for you") {
    ///         true => fill.refuse().await, // neither stored nor shared with the callers that wait
    ///         false => fill.store(&page, None).await,
    ///     }
    ///     page
    /// }
    ///
    /// async fn render(path: &str) -> String {
    ///     format!("the page {path}")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// page(&cache, "pages:start").await;
    /// assert!(cache.exists("pages:start").await?);
    /// page(&cache, "pages:for you").await;
    /// assert!(!cache.exists("pages:for you").await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(&self, key: &str) -> ReadBuilder {
        let mut text = Text::default();
        text.push_str(self.stored_key(key));
        ReadBuilder {
            cache: self.clone(),
            origin: Origin::explicit("read"),
            key: text,
            has_key: true,
            version: 0,
            options: ReadOptions::DEFAULT,
            own_staleness: None,
            wait_limit: None,
            ttl: None,
        }
    }
}

/// Options of one read. Returned by [`Cache::read`], which shows it in use.
///
/// All readers of a key should give the same options. A builder allocates nothing for a key of up to
/// 64 bytes, and [`now`](Self::now) allocates nothing for a hit.
#[must_use = "nothing is read before `begin` or `now`"]
pub struct ReadBuilder {
    cache: Cache,
    origin: Origin,
    /// Path and variant, without the prefix.
    key: Text,
    /// Whether everything that the key is made of could be written.
    has_key: bool,
    version: u32,
    options: ReadOptions,
    own_staleness: Option<StalenessOf>,
    wait_limit: Option<Duration>,
    ttl: Option<Duration>,
}

impl ReadBuilder {
    /// Add a value to the variant of the key, `#` and a hash, as an attribute does with an argument
    /// that its template doesn't name. Patterns match the path, so one removes all variants.
    ///
    /// A value that can't be serialized leads to [`Reading::Bypass`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// # use cache_runtime::Reading;
    /// # use std::sync::Arc;
    /// let cache = Cache::builder().build()?;
    /// for language in ["de", "en"] {
    ///     let reading = cache.read("pages:start").variant(&language).begin::<u32>().await;
    ///     let Reading::Miss(fill) = reading else { panic!("each is an entry of its own") };
    ///     fill.store(&Arc::new(1), 60).await;
    /// }
    /// assert_eq!(cache.delete_pattern("pages:start").await?, 2);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn variant<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.has_key &= push_variant_of(&mut self.key, value).is_ok();
        self
    }

    /// Return the key: its path and variant, without the prefix.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.read("answer").key(), "answer");
    /// assert!(cache.read("answer").variant(&1).key().starts_with("answer#"));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn key(&self) -> Cow<'_, str> {
        self.key.to_str()
    }

    /// Set the TTL for a value that is stored without one of its own. Default: the cache's.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let Reading::Miss(fill) = cache.read("answer").ttl(60).begin().await else { unreachable!() };
    /// fill.store(&Arc::new(42), None).await;
    /// assert!(cache.ttl("answer").await?.is_some_and(|left| left.as_secs() <= 60));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn ttl(mut self, ttl: impl IntoTtl) -> Self {
        self.ttl = ttl.into_ttl();
        self
    }

    /// Set how long past its TTL a value is served while one caller recomputes it
    /// (stale-while-revalidate). Default: zero.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let Reading::Miss(fill) = cache.read("answer").stale(30).begin().await else { unreachable!() };
    /// fill.store(&Arc::new(42), 60).await;
    /// clock.advance(std::time::Duration::from_secs(61));
    /// let Reading::Due(found, _fill) = cache.read("answer").stale(30).begin::<i32>().await else {
    ///     panic!("this caller is to recompute it, and may serve it meanwhile");
    /// };
    /// assert_eq!((**found.value(), found.freshness()), (42, Freshness::Stale));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn stale(mut self, time: impl IntoTtl) -> Self {
        self.options.stale = time.into_ttl().unwrap_or_default();
        self
    }

    /// Set how long past its TTL a value may be kept by [`Fill::keep`] (stale-if-error). Default:
    /// zero.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let Reading::Miss(fill) = cache.read("answer").stale_if_error(30).begin().await else { unreachable!() };
    /// fill.store(&Arc::new(42), 60).await;
    /// clock.advance(std::time::Duration::from_secs(61));
    /// let read = cache.read("answer").stale_if_error(30);
    /// let Reading::Due(found, fill) = read.begin::<i32>().await else { unreachable!() };
    /// assert_eq!(found.freshness(), Freshness::Expired);
    /// // The computation fails.
    /// assert!(fill.keep().await, "the old value may be served");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn stale_if_error(mut self, time: impl IntoTtl) -> Self {
        self.options.stale_if_error = time.into_ttl().unwrap_or_default();
        self
    }

    /// Use the staleness of each value, in place of [`stale`](Self::stale) and
    /// [`stale_if_error`](Self::stale_if_error), which are about all values of a key.
    ///
    /// A value past its TTL leads to [`Reading::Due`] for as long as it is
    /// [`kept`](crate::Staleness::kept), also one that was stored with a TTL of zero.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Clock, Freshness, HasStaleness, Reading, Staleness};
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Page {
    ///     stale_seconds: u64,
    /// }
    ///
    /// impl HasStaleness for Page {
    ///     fn staleness(&self) -> Staleness {
    ///         let stale = Duration::from_secs(self.stale_seconds);
    ///         Staleness { stale, kept: stale * 2 }
    ///     }
    /// }
    ///
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let read = || cache.read("page").own_staleness::<Page>().begin::<Page>();
    /// let Reading::Miss(fill) = read().await else { unreachable!() };
    /// fill.store(&Arc::new(Page { stale_seconds: 30 }), 60).await;
    /// clock.advance(Duration::from_secs(61));
    /// let Reading::Due(found, _fill) = read().await else { panic!("it is stale") };
    /// assert_eq!(found.freshness(), Freshness::Stale);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn own_staleness<T: Storable + HasStaleness>(mut self) -> Self {
        self.own_staleness = Some(staleness_of::<T>);
        self
    }

    /// Set how long [`begin`](Self::begin) waits for other callers, before it leads to
    /// [`Reading::Bypass`]. Zero: it never waits. Default: the cache's `wait_timeout`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let Reading::Miss(_fill) = cache.read("answer").begin::<u32>().await else { unreachable!() };
    /// // Another caller is to compute it.
    /// let read = cache.read("answer").wait_limit(Duration::ZERO);
    /// assert!(matches!(read.begin::<u32>().await, Reading::Bypass));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn wait_limit(mut self, limit: Duration) -> Self {
        self.wait_limit = Some(limit);
        self
    }

    /// Set the largest fraction by which a TTL is shortened at random, from 0 to 1. Default: 0.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let Reading::Miss(fill) = cache.read("answer").jitter(0.5).begin().await else { unreachable!() };
    /// fill.store(&Arc::new(42), 60).await;
    /// assert!(cache.ttl("answer").await?.is_some_and(|left| left.as_secs() >= 29));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.options.jitter = fraction.clamp(0.0, 1.0);
        self
    }

    /// Set the version of the value. Entries of other versions are misses. Default: 0.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let Reading::Miss(fill) = cache.read("answer").version(1).begin().await else { unreachable!() };
    /// fill.store(&Arc::new(42), 60).await;
    /// assert!(cache.read("answer").version(2).now::<i32>().is_none());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Set whether the near cache may hold the entry. Default: true.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let Reading::Miss(fill) = cache.read("answer").near(false).begin().await else { unreachable!() };
    /// fill.store(&Arc::new(42), 60).await;
    /// assert!(cache.exists("answer").await?);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn near(mut self, near: bool) -> Self {
        self.options.near = near;
        self
    }

    /// Log the events of this read at level `info`, not at `debug`. Default: false.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// assert!(cache.read("answer").debug(true).now::<i32>().is_none());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn debug(mut self, debug: bool) -> Self {
        self.origin.debug = debug;
        self
    }

    /// Count the read at the call site of `page!`, and name it in events.
    #[doc(hidden)]
    pub fn at_site(mut self, site: &'static ReadSite) -> Self {
        self.origin = site.into();
        self
    }

    /// Return a fresh value that this process holds, in the memory store or the near cache, without
    /// waiting. Counts a hit, and nothing otherwise.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// assert!(cache.read("answer").now::<i32>().is_none());
    /// cache.blocking().set("answer", &42, 60)?;
    /// let found = cache.read("answer").now::<i32>().unwrap();
    /// assert_eq!(*found.into_value(), 42);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn now<T: Storable>(&self) -> Option<Found<T>> {
        let inner = self.cache.inner();
        if self.bypasses() {
            return None;
        }
        let (store, now) = inner.store.here(&inner.clock, self.options.near)?;
        let (hit, stored) = store.get_stored(&self.key, now)?;
        let shared = hit.payload.into_shared(hit.version, self.version)?;
        let CachedValue::Value(value) = shared else {
            return None;
        };
        inner.counters.hit(self.origin.number);
        if events::wanted(self.origin.debug) {
            events::hit(self.origin, &self.cache.full_key(&self.key.to_str()));
        }
        Some(Found {
            value,
            state: Freshness::Fresh,
            age: since(stored, now),
            is_shared: false,
        })
    }

    /// Return a fresh value, if the store holds one. Doesn't wait for a computation, and doesn't lead
    /// to one. Counts a hit, and nothing otherwise. A failure of the store is a `None`.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// assert!(cache.read("answer").get::<i32>().await.is_none());
    /// cache.set("answer", &42, 60).await?;
    /// assert_eq!(*cache.read("answer").get::<i32>().await.unwrap().into_value(), 42);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn get<T: Storable>(&self) -> Option<Found<T>> {
        if let Some(found) = self.now() {
            return Some(found);
        }
        #[cfg(feature = "redis")]
        if let Store::Redis(store) = &self.cache.inner().store
            && !self.bypasses()
        {
            match store.load(&self.key.to_str()).await {
                Ok(bytes) => {
                    let bytes = bytes?;
                    let age = age_in_redis(&bytes);
                    let payload = Payload::Encoded(bytes);
                    let shared = payload.into_shared(self.version, self.version)?;
                    let CachedValue::Value(value) = shared else {
                        return None;
                    };
                    self.call().hit();
                    return Some(Found {
                        value,
                        state: Freshness::Fresh,
                        age,
                        is_shared: false,
                    });
                }
                Err(error) => self.call().store_failed(store, &error),
            }
        }
        None
    }

    /// Look up the entry. If it is missing, wait for the caller that computes it, or become that
    /// caller.
    ///
    /// A failure of the store is no error: it leads to [`Reading::Bypass`].
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits, it leaves no trace.
    pub async fn begin<T: Storable>(self) -> Reading<T> {
        if self.bypasses() {
            tally::uncached();
            let counters = &self.cache.inner().counters;
            counters.add(self.origin.number, Counter::Uncached, 1);
            return Reading::Bypass;
        }
        let mut call = Box::new(self.call());
        let mut found = None;
        let (step, age_in_redis) = call.decide_for_aged::<T>(&mut found).await;
        let value = found
            .filter(|found| fits(found, false))
            .and_then(|found| match found {
                CachedValue::Value(value) => Some(value),
                CachedValue::None => None,
            });
        let found = |value: Arc<T>, state, is_shared| {
            let age = age_in_redis.or_else(|| call.age_here(Arc::as_ptr(&value).cast()));
            Found {
                value,
                state,
                // Another caller has computed it just now.
                age: age.unwrap_or_default(),
                is_shared,
            }
        };
        match (step, value) {
            (Decision::Compute(lead), _) => Reading::Miss(Fill::new(call, lead, None)),
            (Decision::Refresh(lead, reason), Some(value)) => {
                let state = Freshness::of(reason);
                if state != Freshness::Expired {
                    call.served(reason);
                }
                let found = found(value, state, false);
                call.adopt_staleness(&found.value);
                Reading::Due(found, Fill::new(call, lead, Some(reason)))
            }
            (Decision::Hit, Some(value)) => Reading::Hit(found(value, Freshness::Fresh, false)),
            (Decision::Shared, Some(value)) => Reading::Hit(found(value, Freshness::Fresh, true)),
            _ => Reading::Bypass,
        }
    }
}

impl ReadBuilder {
    /// Whether the read neither asks the store nor waits: there is no key, the cache is disabled, or
    /// this is within [`Cache::uncached`].
    fn bypasses(&self) -> bool {
        !self.has_key || !self.cache.inner().enabled || is_uncached()
    }

    /// Return the call of a read that a lookup in this process doesn't answer.
    fn call(&self) -> Call {
        Call {
            cache: self.cache.clone(),
            origin: self.origin,
            key: self.key.to_str().as_ref().into(),
            version: self.version,
            cache_none: false,
            options: self.options,
            owner: None,
            own_staleness: self.own_staleness,
            wait_limit: self.wait_limit,
            ttl: self.ttl,
            refresh: false,
            due: None,
            audit: None,
            blocking: false,
        }
    }
}

/// Return the time between two moments.
fn since(stored: Moment, now: Moment) -> Duration {
    Duration::from_nanos(now.saturating_sub(stored))
}

/// Return the age of an entry as it is in Redis. The clocks of two machines may differ, so it may be
/// off by as much.
#[cfg(feature = "redis")]
fn age_in_redis(bytes: &[u8]) -> Duration {
    let created = entry::inspect(bytes).map_or(u64::MAX, |header| header.created);
    Duration::from_millis(unix_millis().saturating_sub(created))
}

impl Call {
    /// Decide the next step, and return the age of an entry that was found in Redis.
    async fn decide_for_aged<T: Storable>(
        &self,
        found: &mut Option<CachedValue<Arc<T>>>,
    ) -> (Decision, Option<Duration>) {
        #[cfg(not(feature = "redis"))]
        return (self.decide_for(false, found).await, None);
        #[cfg(feature = "redis")]
        {
            let mut age = None;
            let step = self.decide_for_with(false, found, |payload| {
                age = match payload {
                    Payload::Encoded(bytes) => Some(age_in_redis(bytes)),
                    _ => None,
                };
            });
            let step = step.await;
            (step, age)
        }
    }

    /// Return the age of the entry in this process, if its value is the one at this address.
    fn age_here(&self, value: *const ()) -> Option<Duration> {
        let inner = self.cache.inner();
        let (store, now) = inner.store.here(&inner.clock, self.options.near)?;
        Some(since(store.stored(&self.key, value)?, now))
    }
}

/// Outcome of [`ReadBuilder::begin`].
#[must_use = "dropping a `Fill` makes another caller compute the value"]
#[non_exhaustive]
pub enum Reading<T> {
    /// The value is cached: fresh, or stale while another caller recomputes it.
    Hit(Found<T>),
    /// The value is cached, and this caller alone is to recompute it: before or after it serves the
    /// value, or instead. See [`Found::freshness`] for whether it may be served.
    Due(Found<T>, Fill<T>),
    /// The value isn't cached, and this caller alone is to compute it, while others wait.
    Miss(Fill<T>),
    /// Compute the value without the cache: it is disabled or out of reach, this call is within the
    /// computation of its own entry, it has waited for `wait_timeout`, or the value that it waited
    /// for isn't shared.
    Bypass,
}

/// A cached value.
pub struct Found<T> {
    value: Arc<T>,
    state: Freshness,
    age: Duration,
    is_shared: bool,
}

/// Whether a cached value may be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// Within its TTL, or being recomputed by another caller.
    Fresh,
    /// Past its TTL, within [`stale`](ReadBuilder::stale): serve it, and recompute it meanwhile.
    Stale,
    /// Past its TTL, within [`stale_if_error`](ReadBuilder::stale_if_error): serve it only if the
    /// computation fails and [`Fill::keep`] returns true.
    Expired,
}

impl Freshness {
    fn of(reason: Reason) -> Self {
        match reason {
            Reason::Early => Self::Fresh,
            Reason::Stale => Self::Stale,
            Reason::Expired => Self::Expired,
        }
    }
}

impl<T> Found<T> {
    /// Return the value.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let found = cache.read("answer").now::<i32>().unwrap();
    /// assert_eq!(**found.value(), 42);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn value(&self) -> &Arc<T> {
        &self.value
    }

    /// Return the value.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let answer: Arc<i32> = cache.read("answer").now().unwrap().into_value();
    /// assert_eq!(*answer, 42);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn into_value(self) -> Arc<T> {
        self.value
    }

    /// Return whether the value may be served.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use cache_runtime::{Cache, Clock, Freshness, Reading};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// assert_eq!(cache.read("answer").now::<i32>().unwrap().freshness(), Freshness::Fresh);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn freshness(&self) -> Freshness {
        self.state
    }

    /// Return how long ago the value was stored, by whichever process stored it. On Redis that is by
    /// the clocks of two machines, so it is as exact as these agree.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::{Cache, Clock};
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let clock = Clock::manual();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.set("answer", &42, 60).await?;
    /// clock.advance(Duration::from_secs(5));
    /// let found = cache.read("answer").now::<i32>().unwrap();
    /// assert_eq!(found.age(), Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Return whether another caller of this process computed the value while this one waited for
    /// it.
    ///
    /// ```
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// assert!(!cache.read("answer").now::<i32>().unwrap().is_shared());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }
}

impl Call {
    /// Take over the staleness of a value, for what is done with it.
    fn adopt_staleness<T: Storable>(&mut self, value: &Arc<T>) {
        if let Some(staleness_of) = self.own_staleness {
            let payload = Payload::typed(Arc::clone(value));
            let own = staleness_of(&payload, self.version, self.version);
            self.options = own.unwrap_or_default().within(self.options);
        }
    }
}

/// The right, and the duty, to compute a value for all callers that wait for it.
///
/// Dropped without [`store`](Self::store), [`refuse`](Self::refuse) or [`keep`](Self::keep), because
/// the computation failed, panicked or was cancelled, it makes one of the waiting callers compute.
/// An invalidation that comes in between takes the right away: nothing is stored then.
pub struct Fill<T> {
    call: Box<Call>,
    lead: Lead,
    watch: Stopwatch,
    reason: Option<Reason>,
    stores: PhantomData<fn() -> T>,
}

impl<T: Storable> Fill<T> {
    fn new(call: Box<Call>, lead: Lead, reason: Option<Reason>) -> Self {
        Self {
            watch: call.stopwatch(),
            call,
            lead,
            reason,
            stores: PhantomData,
        }
    }

    /// Run the computation. A read of the same entry within it bypasses the cache, where otherwise
    /// it would wait for itself.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops `computation`.
    pub fn within<F: Future>(&self, computation: F) -> impl Future<Output = F::Output> + use<T, F> {
        self.lead.leader.within(computation)
    }

    /// Store the value, and share it with the callers that wait. With `None` it has the TTL of
    /// [`ReadBuilder::ttl`]. A value that can't be stored is shared all the same.
    ///
    /// # Cancel safety
    ///
    /// The fill begins when this is called, and finishes without its caller. Awaiting it tells when
    /// the store holds the value.
    pub fn store<D: IntoTtl>(
        mut self,
        value: &Arc<T>,
        ttl: D,
    ) -> impl Future<Output = ()> + Send + use<T, D> {
        if self.reason == Some(Reason::Expired) {
            self.call.missed();
        }
        self.call.adopt_staleness(value);
        let ttl = ttl.into_ttl();
        let took = self.call.took(&self.watch);
        let filling =
            finish::<Arc<T>, InArc, _>(&self.call, self.lead, value, |_| ttl, unless_unset, took);
        async {
            if let Some((_, filling)) = filling {
                filling.await;
            }
        }
    }

    /// End the computation with a value for this caller alone. It is neither stored nor shared:
    /// each caller that waits computes its own, all at once. A stale value that it was to replace is
    /// removed.
    ///
    /// # Cancel safety
    ///
    /// It begins when this is called, and finishes without its caller. Awaiting it tells when a
    /// caller of another process can compute.
    pub fn refuse(self) -> impl Future<Output = ()> + Send + use<T> {
        self.call.took(&self.watch);
        if self.reason == Some(Reason::Expired) {
            self.call.missed();
        }
        self.call.refuse(self.lead)
    }

    /// End a computation that failed, and return whether the value found before may be served
    /// instead: it is still cached, and within
    /// [`stale_if_error`](ReadBuilder::stale_if_error). For a second no caller tries again.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the pause begins without its caller.
    pub async fn keep(self) -> bool {
        let Some(reason) = self.reason else {
            return false;
        };
        self.call.took(&self.watch);
        let age = self.call.pause(self.lead).age().await;
        let keeps = self.call.outlasts_error(reason, age);
        match keeps {
            true if reason == Reason::Expired => self.call.served_on_error(reason),
            false if reason == Reason::Expired => self.call.missed(),
            _ => {}
        }
        keeps
    }
}

impl fmt::Debug for ReadBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuilder")
            .field("key", &self.key.to_str())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Found<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("freshness", &self.state)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Fill<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fill")
            .field("key", &self.call.key)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Reading<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit(found) => f.debug_tuple("Hit").field(found).finish(),
            Self::Due(found, fill) => f.debug_tuple("Due").field(found).field(fill).finish(),
            Self::Miss(fill) => f.debug_tuple("Miss").field(fill).finish(),
            Self::Bypass => f.write_str("Bypass"),
        }
    }
}
