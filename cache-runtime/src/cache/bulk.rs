//! Operations on many entries in few round trips.

use std::sync::Arc;

use crate::core::Cache;
#[cfg(feature = "redis")]
use crate::entry;
use crate::error::CacheError;
use crate::site::Origin;
use crate::site::registry::EXPLICIT;
use crate::stats::Counter;
use crate::store::Store;
use crate::ttl::IntoTtl;
use crate::value::Settable;

/// Operations on many keys.
impl Cache {
    /// Return the values of many keys, in their order.
    ///
    /// Redis is asked in one round trip per 500 keys; in a cluster, with one command per key.
    /// Each round trip has the whole [`response_timeout`](crate::CacheBuilder::response_timeout),
    /// so a large batch isn't taken for an outage.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("a", &1, 60).await?;
    /// assert_eq!(cache.get_many::<i32>(["a", "b"]).await?, [Some(1), None]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`] if Redis fails: treat all of the keys as not cached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call changes nothing.
    pub async fn get_many<T: serde::de::DeserializeOwned + 'static>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Option<T>>, CacheError> {
        let keys = keys.into_iter();
        let keys: Vec<Arc<str>> = keys
            .map(|key| self.stored_key(key.as_ref()).into())
            .collect();
        let found: Result<Vec<Option<T>>, CacheError> = match &self.inner().store {
            Store::Memory(store) => {
                let now = self.inner().clock.now();
                Ok(keys
                    .iter()
                    .map(|key| store.get(key, now).and_then(|hit| hit.payload.read()))
                    .collect())
            }
            #[cfg(feature = "redis")]
            Store::Redis(store) => store.load_many(keys).await.map(|found| {
                found
                    .into_iter()
                    .map(|bytes| bytes.and_then(|bytes| entry::decode(&bytes, None)))
                    .collect()
            }),
        };
        match &found {
            Ok(found) => found
                .iter()
                .for_each(|value| self.count_found(&Ok(value.is_some()))),
            Err(error) => self.count_found(&Err(error)),
        }
        found
    }

    /// Store many values.
    ///
    /// On Redis this takes two round trips for each 500 entries, and three in a cluster.
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
    /// [`CacheError::TooLarge`], [`CacheError::TooDeep`], [`CacheError::Changed`] or
    /// [`CacheError::Encode`] if a value can't be stored: correct its type or raise the limit. Then
    /// none of the values is stored. [`CacheError::Store`], [`CacheError::Timeout`],
    /// [`CacheError::Unavailable`] or [`CacheError::Background`] if Redis fails: go on without the
    /// entries. Some of them may be stored.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn set_many(
        &self,
        entries: impl IntoIterator<Item = impl KeyAndValue>,
        ttl: impl IntoTtl,
    ) -> Result<(), CacheError> {
        let ttl = ttl.into_ttl().unwrap_or(self.inner().default_ttl);
        let encoded = entries.into_iter().map(|entry| {
            let key = self.stored_key(entry.key());
            let bytes = self.encode("set_many", key, entry.value())?;
            Ok((Arc::from(key), bytes))
        });
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
        self.inner().counters.add(EXPLICIT, Counter::Fills, count);
        Ok(())
    }

    /// Delete many keys, and return the number of those that existed. A key that is named twice
    /// counts once.
    ///
    /// Redis is asked in one round trip for each 500 keys.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set_many([("a", 1), ("b", 2), ("c", 3)], 60).await?;
    /// assert_eq!(cache.delete_many(["a", "b", "x"]).await?, 2);
    /// assert_eq!(cache.get_many::<i32>(["a", "b", "c"]).await?, [None, None, Some(3)]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The store's failure. All keys are then deleted once Redis is back, before this process
    /// serves another cached read.
    ///
    /// # Cancel safety
    ///
    /// Once polled, it finishes without its caller.
    pub async fn delete_many(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<u64, CacheError> {
        let keys = keys.into_iter();
        let keys = keys.map(|key| self.stored_key(key.as_ref()).into());
        self.delete_entries(Origin::explicit("delete_many"), keys.collect())
            .await
    }
}

/// One entry of [`Cache::set_many`]: a pair of key and value, or a reference to one.
pub trait KeyAndValue {
    /// The value's type.
    type Value: Settable;
    /// The key, without the prefix.
    ///
    /// ```
    /// use cache_runtime::KeyAndValue;
    ///
    /// assert_eq!(("answer", 42).key(), "answer");
    /// ```
    fn key(&self) -> &str;
    /// The value.
    ///
    /// ```
    /// use cache_runtime::KeyAndValue;
    ///
    /// assert_eq!(("answer", 42).value(), &42);
    /// ```
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
