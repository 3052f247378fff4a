//! The snapshots of all processes of one prefix on one Redis.

#[cfg(feature = "redis")]
use std::sync::{Arc, Weak};

use super::snapshot::Snapshot;
use crate::core::Cache;
#[cfg(feature = "redis")]
use crate::core::CacheInner;
use crate::error::CacheError;
use crate::store::Store;
#[cfg(feature = "redis")]
use crate::store::redis::{Published, RedisStore};

/// Version of the stored form: the first byte. The rest is MessagePack with the names of fields, so
/// a field may be added without another version.
#[cfg(feature = "redis")]
const FORMAT: u8 = 1;

impl Cache {
    /// Return the counters of every process that has this prefix on this Redis, in no particular
    /// order.
    ///
    /// Those of this cache are current. The others are at most five seconds old, and a process that
    /// has ended is included for at most fifteen seconds. Processes that don't
    /// [publish](crate::CacheBuilder::publish_stats) their counters are missing, as are those that
    /// haven't used Redis for a second yet, and those of a release with another format. Reads a set
    /// of names and then the snapshots; walks over no keyspace.
    ///
    /// On the memory store, this cache is the fleet.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// cache.set("answer", &42, 60).await?;
    /// let fleet = cache.fleet().await?;
    /// assert_eq!(fleet.iter().map(|process| process.total().fills).sum::<u64>(), 1);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`CacheError::Store`], [`CacheError::Timeout`], [`CacheError::Unavailable`] or
    /// [`CacheError::Background`], if Redis doesn't return the snapshots.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn fleet(&self) -> Result<Vec<Snapshot>, CacheError> {
        match &self.inner().store {
            Store::Memory(_) => Ok(vec![self.snapshot()]),
            #[cfg(feature = "redis")]
            Store::Redis(store) => {
                let published = store.published().await?;
                let own = store.publishes().then(|| self.snapshot());
                let is_own = |name: &str| own.as_ref().is_some_and(|own| own.instance == name);
                let others = published.iter().filter(|other| !is_own(&other.instance));
                let mut fleet: Vec<Snapshot> = others.filter_map(read).collect();
                fleet.extend(own);
                Ok(fleet)
            }
        }
    }

    /// Publish the counters of this cache from its first operation on Redis, until it is dropped.
    #[cfg(feature = "redis")]
    pub(crate) fn publish(&self, store: &RedisStore) {
        let inner: Weak<CacheInner> = Arc::downgrade(&self.inner);
        store.publish(Box::new(move || {
            let cache = Self {
                inner: inner.upgrade()?,
            };
            write(&cache.snapshot())
        }));
    }
}

#[cfg(feature = "redis")]
fn write(snapshot: &Snapshot) -> Option<Published> {
    let mut bytes = vec![FORMAT];
    bytes.extend(rmp_serde::to_vec_named(snapshot).ok()?);
    Some(Published {
        instance: snapshot.instance.clone(),
        bytes,
    })
}

/// Read a snapshot; `None` if it has another format.
#[cfg(feature = "redis")]
fn read(published: &Published) -> Option<Snapshot> {
    let (format, bytes) = published.bytes.split_first()?;
    (*format == FORMAT)
        .then(|| rmp_serde::from_slice(bytes).ok())
        .flatten()
}

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_it_was_written_and_another_format_is_not() {
        let cache = Cache::builder().build().expect("memory builds");
        cache.blocking().get_or_set("answer", 60, || 42);
        let snapshot = cache.snapshot();
        let mut published = write(&snapshot).expect("it is written");
        assert_eq!(read(&published), Some(snapshot));
        published.bytes[0] = FORMAT + 1;
        assert_eq!(read(&published), None);
    }

    #[test]
    fn fields_of_a_later_release_are_ignored_and_missing_ones_are_empty() {
        #[derive(serde::Serialize)]
        struct Later {
            pid: u32,
            of_tomorrow: [u32; 3],
        }
        let later = Later {
            pid: 7,
            of_tomorrow: [1, 2, 3],
        };
        let mut bytes = vec![FORMAT];
        bytes.extend(rmp_serde::to_vec_named(&later).expect("it is written"));
        let instance = String::new();
        let read = read(&Published { instance, bytes }).expect("it is read");
        assert_eq!((read.pid, read.functions.len()), (7, 0));
    }
}
