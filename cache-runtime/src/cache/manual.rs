//! The explicit operations.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::Cache;
use crate::call::Call;
use crate::entry::{self, Facts};
use crate::error::CacheError;
use crate::pattern::Pattern;
use crate::read::{self, Lookup};
use crate::site::Origin;
use crate::stats::Counter;
use crate::store::Store;
use crate::store::memory::Entry;
use crate::ttl::IntoTtl;
use crate::value::payload::Payload;
use crate::value::shape::{InResult, Whole};
use crate::value::{Settable, Storable};

/// The explicit operations. Keys are without the prefix and are taken as they are written.
impl Cache {
    /// The value of a key, if it is there and a `T`.
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub async fn get<T: serde::de::DeserializeOwned + 'static>(&self, key: &str) -> Result<Option<T>, CacheError> {
        let found = self.load_value(key).await;
        self.count_found(&found.as_ref().map(Option::is_some));
        found
    }

    fn count_found(&self, found: &Result<bool, &CacheError>) {
        let counter = match found {
            Ok(true) => Counter::Hits,
            Ok(false) => Counter::Misses,
            Err(_) => Counter::Errors,
        };
        self.inner().counters.add(crate::site::registry::EXPLICIT, counter, 1);
    }

    pub(super) async fn load_value<T: serde::de::DeserializeOwned + 'static>(
        &self,
        key: &str,
    ) -> Result<Option<T>, CacheError> {
        match &self.inner().store {
            Store::Memory(store) => {
                Ok(store.get(key, self.inner().clock.now()).and_then(|hit| hit.payload.read()))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => Ok(store.load(key).await?.and_then(|bytes| entry::decode(&bytes, None))),
        }
    }

    /// Stores a value, over any other. `ttl` is a [`Duration`], seconds, or `None` for the cache's default.
    ///
    /// A computation of the same key that is under way is overtaken: its value isn't stored any more.
    ///
    /// # Errors
    ///
    /// The store's failure, or a value that no codec carries.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn set<T: Settable + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        let ttl = ttl.into_ttl().unwrap_or(self.inner().default_ttl);
        let stored = self.store_value(key, value, ttl).await;
        let counter = if stored.is_ok() { Counter::Fills } else { Counter::Errors };
        self.inner().counters.add(crate::site::registry::EXPLICIT, counter, 1);
        stored
    }

    pub(super) async fn store_value<T: Settable + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Duration,
    ) -> Result<(), CacheError> {
        let bytes = encode(value)?;
        match &self.inner().store {
            Store::Memory(_) => {
                self.store_in_memory(key, bytes, ttl);
                Ok(())
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.store(vec![(Arc::from(key), bytes)], ttl).await,
        }
    }

    fn store_in_memory(&self, key: &str, bytes: Vec<u8>, ttl: Duration) {
        let inner = self.inner();
        let Store::Memory(store) = &inner.store else { return };
        let expires = inner.clock.deadline(ttl);
        let weight = bytes.len();
        let entry = Entry { payload: Payload::Encoded(bytes.into()), version: 0, expires, bytes: weight };
        inner.flights.void_key(key, || store.insert(key.into(), entry, inner.clock.now()));
    }

    /// Deletes a key; whether it was there.
    ///
    /// # Errors
    ///
    /// The store's failure.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn delete(&self, key: &str) -> Result<bool, CacheError> {
        self.delete_entry(Origin::explicit("delete"), key).await
    }

    pub(super) async fn remove_value(&self, key: &str) -> Result<bool, CacheError> {
        let inner = self.inner();
        match &inner.store {
            Store::Memory(store) => Ok(store.remove(key, inner.clock.now())),
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.remove(key).await,
        }
    }

    /// Deletes what the pattern matches, and gives the number of entries. The pattern is a glob (`*`, `?`,
    /// `[..]`, `\`) over paths: every variant of a matching path goes, and `posts:42:*` includes `posts:42`.
    ///
    /// # Errors
    ///
    /// The store's failure; what was deleted before it stays deleted.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn delete_pattern(&self, pattern: &str) -> Result<u64, CacheError> {
        self.invalidate(Origin::explicit("delete_pattern"), vec![Pattern::new(pattern)]).await
    }

    /// Deletes every entry of this prefix, and gives their number.
    ///
    /// # Errors
    ///
    /// The store's failure; what was deleted before it stays deleted.
    pub async fn clear(&self) -> Result<u64, CacheError> {
        self.invalidate(Origin::explicit("clear"), vec![Pattern::new("*")]).await
    }

    /// The value of a key, or what `compute` gives, which is stored. Many callers of one missing key make one
    /// computation. A failing store never shows: then it is computed.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let answer: u32 = cache.get_or_set("answer", 60, || async { 42 }).await;
    /// assert_eq!(answer, 42);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropped while it computes, another caller that waits takes over.
    pub async fn get_or_set<T, F, Fut>(&self, key: &str, ttl: impl IntoTtl, compute: F) -> T
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let lookup = Lookup::<T, Whole>::pending(self.explicit_call("get_or_set", key, ttl));
        read::read_async(lookup, |_| None, |_| false, async { compute().await }).await
    }

    /// Like [`get_or_set`](Cache::get_or_set), for a computation that can fail. Errors aren't stored, and each
    /// is its own caller's.
    ///
    /// # Errors
    ///
    /// Those of `compute`.
    pub async fn try_get_or_set<T, E, F, Fut>(&self, key: &str, ttl: impl IntoTtl, compute: F) -> Result<T, E>
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let call = self.explicit_call("try_get_or_set", key, ttl);
        let lookup = Lookup::<Result<T, E>, InResult<Whole>>::pending(call);
        read::read_async(lookup, |_| None, |_| false, async { compute().await }).await
    }

    pub(super) fn explicit_call(&self, function: &'static str, key: &str, ttl: impl IntoTtl) -> Call {
        Call {
            cache: self.clone(),
            origin: Origin::explicit(function),
            key: key.into(),
            version: 0,
            cache_none: true,
            ttl: ttl.into_ttl(),
            refresh: false,
            blocking: false,
        }
    }

    /// The values of many keys, in their order, in one round trip.
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub async fn get_many<T: serde::de::DeserializeOwned + 'static>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Option<T>>, CacheError> {
        let keys: Vec<Arc<str>> = keys.into_iter().map(|key| key.as_ref().into()).collect();
        let found: Result<Vec<Option<T>>, CacheError> = match &self.inner().store {
            Store::Memory(store) => {
                let now = self.inner().clock.now();
                Ok(keys.iter().map(|key| store.get(key, now).and_then(|hit| hit.payload.read())).collect())
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.load_many(keys).await.map(|found| {
                found.into_iter().map(|bytes| bytes.and_then(|bytes| entry::decode(&bytes, None))).collect()
            }),
        };
        match &found {
            Ok(found) => found.iter().for_each(|value| self.count_found(&Ok(value.is_some()))),
            Err(error) => self.count_found(&Err(error)),
        }
        found
    }

    /// Stores many values in one round trip.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("a", 1), ("b", 2)], 60).await?;
    /// assert_eq!(cache.get_many::<i32>(["a", "b", "c"]).await?, [Some(1), Some(2), None]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The store's failure, or a value that no codec carries: then nothing is stored.
    pub async fn set_many(
        &self,
        entries: impl IntoIterator<Item = impl KeyAndValue>,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        let ttl = ttl.into_ttl().unwrap_or(self.inner().default_ttl);
        let encoded = entries.into_iter().map(|entry| Ok((Arc::from(entry.key()), encode(entry.value())?)));
        let entries = encoded.collect::<Result<Vec<(Arc<str>, Vec<u8>)>, CacheError>>()?;
        let count = entries.len() as u64;
        match &self.inner().store {
            Store::Memory(_) => {
                for (key, bytes) in entries {
                    self.store_in_memory(&key, bytes, ttl);
                }
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.store(entries, ttl).await?,
        }
        self.inner().counters.add(crate::site::registry::EXPLICIT, Counter::Fills, count);
        Ok(())
    }

    /// Whether a key is there.
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub async fn exists(&self, key: &str) -> Result<bool, CacheError> {
        Ok(self.ttl(key).await?.is_some())
    }

    /// How long a key still lives; `None` if it isn't there.
    ///
    /// # Errors
    ///
    /// The store's failure.
    pub async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        match &self.inner().store {
            Store::Memory(store) => {
                let now = self.inner().clock.now();
                let left = |hit: crate::store::memory::Hit| Duration::from_nanos(hit.expires - now);
                Ok(store.get(key, now).map(left))
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.ttl(key).await,
        }
    }
}

/// One entry of [`Cache::set_many`]: a pair of key and value, or a reference to one.
pub trait KeyAndValue {
    /// The value's type.
    type Value: Settable;
    /// The key, without the prefix.
    fn key(&self) -> &str;
    /// The value.
    fn value(&self) -> &Self::Value;
}

impl<K: AsRef<str>, V: Settable> KeyAndValue for (K, V) {
    type Value = V;
    fn key(&self) -> &str {
        self.0.as_ref()
    }
    fn value(&self) -> &V {
        &self.1
    }
}

impl<E: KeyAndValue> KeyAndValue for &E {
    type Value = E::Value;
    fn key(&self) -> &str {
        (**self).key()
    }
    fn value(&self) -> &E::Value {
        (**self).value()
    }
}

fn encode<T: Settable + ?Sized>(value: &T) -> Result<Vec<u8>, CacheError> {
    let facts = Facts {
        #[cfg(feature = "redis")]
        created: crate::clock::unix_millis(),
        ..Facts::default()
    };
    entry::encode(value, &facts)
}
