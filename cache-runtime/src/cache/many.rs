//! Reading many values, and computing and storing those that are missing by one run.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use crate::cache::BlockingCache;
use crate::core::Cache;
use crate::current::is_uncached;
use crate::read::many::Batch;
use crate::read::many::run::ManyRead;
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::Storable;
use crate::value::shape::Whole;

/// Read-through operations on many keys.
impl Cache {
    /// Return the values of many keys, and compute and store those that are missing by one call of
    /// `compute`, as a DataLoader does. A key for which `compute` returns no value stays uncached,
    /// and isn't in the map.
    ///
    /// Each key has its own entry and computation, which it shares with
    /// [`get_or_set`](Cache::get_or_set) and with functions with `#[cacheable]`: a key that another
    /// caller computes at this moment isn't computed again. A batch first computes its own keys,
    /// then waits for those of others; if a caller that it waits for fails, `compute` runs once
    /// more for the keys that this caller left. A failure of the store isn't returned: `compute`
    /// then gets every key that isn't known.
    ///
    /// On Redis this takes one round trip to look, and for missing keys one for all leases and one
    /// for all fills, for each 500 keys.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("lengths:one", &3usize, 60).await?;
    /// let lengths: HashMap<&str, usize> = cache
    ///     .get_or_set_many(["lengths:one", "lengths:three"], 60, |missing| async move {
    ///         assert_eq!(missing, ["lengths:three"]);
    ///         missing.into_iter().map(|key| (key, key.len() - 8))
    ///     })
    ///     .await;
    /// assert_eq!(lengths["lengths:one"], 3);
    /// assert_eq!(lengths["lengths:three"], 5);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it computes, other waiting callers take over. Fills that have
    /// begun finish without their caller.
    pub async fn get_or_set_many<K, T, I, F, Fut>(
        &self,
        keys: impl IntoIterator<Item = K>,
        ttl: impl IntoTtl,
        mut compute: F,
    ) -> HashMap<K, T>
    where
        K: AsRef<str> + Eq + Hash + Clone,
        T: Storable,
        I: IntoIterator<Item = (K, T)>,
        F: FnMut(Vec<K>) -> Fut,
        Fut: Future<Output = I>,
    {
        let asked = &Asked::new(self, keys);
        let mut read = asked.read(self, "get_or_set_many", ttl, false);
        while let Some(places) = read.next().await {
            let computed = read.within(compute(asked.names_at(&places))).await;
            if let Some(filling) = read.computed(asked.arrange(&places, computed)) {
                filling.await;
            }
        }
        asked.named(read.finish())
    }

    /// Like [`get_or_set_many`](Cache::get_or_set_many), for a computation that can fail. Errors
    /// aren't stored, and each is returned to the caller that computed it only.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let parsed: Result<HashMap<&str, u32>, _> = cache
    ///     .try_get_or_set_many(["1", "x"], 60, |missing| async move {
    ///         missing.into_iter().map(|key| Ok((key, key.parse()?))).collect::<Result<Vec<_>, _>>()
    ///     })
    ///     .await;
    /// let error: std::num::ParseIntError = parsed.unwrap_err();
    /// assert!(!cache.exists("1").await?, "{error}: nothing is stored");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `compute`: then none of the keys that it was to compute is stored. A failure of
    /// the store isn't returned.
    ///
    /// # Cancel safety
    ///
    /// As for [`get_or_set_many`](Cache::get_or_set_many).
    pub async fn try_get_or_set_many<K, T, E, I, F, Fut>(
        &self,
        keys: impl IntoIterator<Item = K>,
        ttl: impl IntoTtl,
        mut compute: F,
    ) -> Result<HashMap<K, T>, E>
    where
        K: AsRef<str> + Eq + Hash + Clone,
        T: Storable,
        I: IntoIterator<Item = (K, T)>,
        F: FnMut(Vec<K>) -> Fut,
        Fut: Future<Output = Result<I, E>>,
    {
        let asked = &Asked::new(self, keys);
        let mut read = asked.read(self, "try_get_or_set_many", ttl, false);
        while let Some(places) = read.next().await {
            let computed = read.within(compute(asked.names_at(&places))).await?;
            if let Some(filling) = read.computed(asked.arrange(&places, computed)) {
                filling.await;
            }
        }
        Ok(asked.named(read.finish()))
    }
}

/// Blocking operations on many keys.
impl BlockingCache {
    /// See [`Cache::get_or_set_many`].
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// let compute = |missing: Vec<String>| missing.into_iter().map(|key| (key.clone(), key.len()));
    /// let keys = ["a".to_owned(), "bcd".to_owned()];
    /// let lengths: HashMap<String, usize> = cache.get_or_set_many(keys, 60, compute);
    /// assert_eq!(lengths["bcd"], 3);
    /// assert_eq!(cache.get::<usize>("a")?, Some(1));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn get_or_set_many<K, T, I>(
        &self,
        keys: impl IntoIterator<Item = K>,
        ttl: impl IntoTtl,
        mut compute: impl FnMut(Vec<K>) -> I,
    ) -> HashMap<K, T>
    where
        K: AsRef<str> + Eq + Hash + Clone,
        T: Storable,
        I: IntoIterator<Item = (K, T)>,
    {
        let asked = Asked::new(self.cache(), keys);
        let mut read = asked.read(self.cache(), "get_or_set_many", ttl, true);
        while let Some(places) = block_on(read.next()) {
            let entered = read.enter();
            let computed = asked.arrange(&places, compute(asked.names_at(&places)));
            drop(entered);
            if let Some(filling) = read.computed(computed) {
                block_on(filling);
            }
        }
        asked.named(read.finish())
    }

    /// See [`Cache::try_get_or_set_many`].
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?.blocking();
    /// let failed: Result<HashMap<&str, u32>, &str> =
    ///     cache.try_get_or_set_many(["a"], 60, |_| Err::<Vec<_>, _>("offline"));
    /// assert_eq!(failed, Err("offline"));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `compute`.
    pub fn try_get_or_set_many<K, T, E, I>(
        &self,
        keys: impl IntoIterator<Item = K>,
        ttl: impl IntoTtl,
        mut compute: impl FnMut(Vec<K>) -> Result<I, E>,
    ) -> Result<HashMap<K, T>, E>
    where
        K: AsRef<str> + Eq + Hash + Clone,
        T: Storable,
        I: IntoIterator<Item = (K, T)>,
    {
        let asked = Asked::new(self.cache(), keys);
        let mut read = asked.read(self.cache(), "try_get_or_set_many", ttl, true);
        while let Some(places) = block_on(read.next()) {
            let entered = read.enter();
            let computed = asked.arrange(&places, compute(asked.names_at(&places))?);
            drop(entered);
            if let Some(filling) = read.computed(computed) {
                block_on(filling);
            }
        }
        Ok(asked.named(read.finish()))
    }
}

/// The keys that a caller asked for, each once.
struct Asked<K> {
    /// By place: the name that `compute` gets, and the stored key.
    items: Vec<(K, Arc<str>)>,
    /// The place of each name. A path and its full key are two names of one place.
    places: HashMap<K, usize>,
}

impl<K: AsRef<str> + Eq + Hash + Clone> Asked<K> {
    fn new(cache: &Cache, names: impl IntoIterator<Item = K>) -> Self {
        let mut by_key: HashMap<Arc<str>, usize> = HashMap::new();
        let mut asked = Self {
            items: Vec::new(),
            places: HashMap::new(),
        };
        for name in names {
            let key: Arc<str> = cache.stored_key(name.as_ref()).into();
            let place = *by_key.entry(key).or_insert_with_key(|key| {
                asked.items.push((name.clone(), Arc::clone(key)));
                asked.items.len() - 1
            });
            asked.places.insert(name, place);
        }
        asked
    }

    fn read<T: Storable>(
        &self,
        cache: &Cache,
        function: &'static str,
        ttl: impl IntoTtl,
        blocking: bool,
    ) -> ManyRead<T, Whole> {
        let ttl = ttl.into_ttl();
        let calls = self.items.iter().map(|(_, key)| {
            let mut call = cache.call_at(function, Arc::clone(key), ttl);
            call.blocking = blocking;
            (!is_uncached()).then_some(call)
        });
        ManyRead::new(Batch::new(cache.clone(), calls, true), false)
    }

    fn names_at(&self, places: &[usize]) -> Vec<K> {
        let names = places.iter().map(|place| self.items[*place].0.clone());
        names.collect()
    }

    /// Bring the computed values into the order of the places. Values of keys that weren't missing
    /// are dropped.
    fn arrange<T>(
        &self,
        places: &[usize],
        computed: impl IntoIterator<Item = (K, T)>,
    ) -> Vec<Option<T>> {
        let mut by_place: HashMap<usize, T> = HashMap::with_capacity(places.len());
        for (name, value) in computed {
            if let Some(place) = self.places.get(&name) {
                by_place.insert(*place, value);
            }
        }
        places.iter().map(|place| by_place.remove(place)).collect()
    }

    fn named<T: Clone>(&self, mut values: Vec<Option<T>>) -> HashMap<K, T> {
        let mut named = HashMap::with_capacity(self.places.len());
        if self.places.len() > self.items.len() {
            for (name, place) in &self.places {
                named.extend(values[*place].clone().map(|value| (name.clone(), value)));
            }
            return named;
        }
        for (name, place) in &self.places {
            named.extend(values[*place].take().map(|value| (name.clone(), value)));
        }
        named
    }
}
