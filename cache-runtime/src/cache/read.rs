//! Reading an entry step by step: `Cache::read`.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use crate::clock::Stopwatch;
use crate::core::Cache;
use crate::current::is_uncached;
#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::CachedValue;
use crate::key::canonical::Canonical;
use crate::key::hash::push_variant;
use crate::key::text::Text;
use crate::read::call::Call;
use crate::read::decision::{Decision, Lead};
use crate::read::fill::conclude::{finish, unless_unset};
use crate::read::freshness::Reason;
use crate::read::lookup::fits;
#[cfg(feature = "redis")]
use crate::store::Store;
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
    ///         true => fill.refuse(), // neither stored nor shared with the callers that wait
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
        let mut call = self.call_at("read", self.stored_key(key).into(), None);
        call.cache_none = false;
        ReadBuilder {
            call: Box::new(call),
            has_key: true,
        }
    }
}

/// Options of one read. Returned by [`Cache::read`], which shows it in use.
///
/// All readers of a key should give the same options.
#[must_use = "nothing is read before `begin` or `now`"]
pub struct ReadBuilder {
    call: Box<Call>,
    /// Whether everything that the key is made of could be written.
    has_key: bool,
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
        let mut canonical = Vec::with_capacity(64);
        let written = value.serialize(Canonical::named(&mut canonical, "variant"));
        self.has_key &= written.is_ok();
        let mut key = Text::default();
        key.push_str(&self.call.key);
        push_variant(&mut key, &canonical);
        self.call.key = key.to_str().as_ref().into();
        self
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
        self.call.ttl = ttl.into_ttl();
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
        self.call.options.stale = time.into_ttl().unwrap_or_default();
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
        self.call.options.stale_if_error = time.into_ttl().unwrap_or_default();
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
        self.call.options.jitter = fraction.clamp(0.0, 1.0);
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
        self.call.version = version;
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
        self.call.options.near = near;
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
        let inner = self.call.cache.inner();
        if self.bypasses() {
            return None;
        }
        let (store, now) = inner.store.here(&inner.clock, self.call.options.near)?;
        let hit = store.get(&self.call.key, now)?;
        let shared = hit.payload.into_shared(hit.version, self.call.version)?;
        let CachedValue::Value(value) = shared else {
            return None;
        };
        self.call.hit();
        Some(Found {
            value,
            state: Freshness::Fresh,
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
        if let Store::Redis(store) = &self.call.cache.inner().store
            && !self.bypasses()
        {
            match store.load(&self.call.key).await {
                Ok(bytes) => {
                    let value = entry::decode(&bytes?, Some(self.call.version))?;
                    self.call.hit();
                    return Some(Found {
                        value: Arc::new(value),
                        state: Freshness::Fresh,
                    });
                }
                Err(error) => self.call.store_failed(store, &error),
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
            return Reading::Bypass;
        }
        let call = self.call;
        let mut found = None;
        let step = call.decide_for::<T>(false, &mut found).await;
        let value = found
            .filter(|found| fits(found, false))
            .and_then(|found| match found {
                CachedValue::Value(value) => Some(value),
                CachedValue::None => None,
            });
        match (step, value) {
            (Decision::Compute(lead), _) => Reading::Miss(Fill::new(call, lead, None)),
            (Decision::Refresh(lead, reason), Some(value)) => {
                let state = Freshness::of(reason);
                if state != Freshness::Expired {
                    call.served(reason);
                }
                let fill = Fill::new(call, lead, Some(reason));
                Reading::Due(Found { value, state }, fill)
            }
            (Decision::Hit, Some(value)) => Reading::Hit(Found {
                value,
                state: Freshness::Fresh,
            }),
            _ => Reading::Bypass,
        }
    }
}

impl ReadBuilder {
    /// Whether the read neither asks the store nor waits: there is no key, the cache is disabled, or
    /// this is within [`Cache::uncached`].
    fn bypasses(&self) -> bool {
        !self.has_key || !self.call.cache.inner().enabled || is_uncached()
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
        self,
        value: &Arc<T>,
        ttl: D,
    ) -> impl Future<Output = ()> + Send + use<T, D> {
        if self.reason == Some(Reason::Expired) {
            self.call.missed();
        }
        let ttl = ttl.into_ttl();
        let took = self.watch.elapsed();
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
    pub fn refuse(self) {
        if self.reason == Some(Reason::Expired) {
            self.call.missed();
        }
        self.call.refuse(self.lead);
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
        let age = self.call.pause(self.lead).age().await;
        let keeps = self.call.outlasts_error(reason, age);
        match keeps {
            true if reason == Reason::Expired => self.call.served(reason),
            false if reason == Reason::Expired => self.call.missed(),
            _ => {}
        }
        keeps
    }
}

impl fmt::Debug for ReadBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBuilder")
            .field("key", &self.call.key)
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
