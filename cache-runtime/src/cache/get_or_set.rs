//! Reading a value, or computing and storing it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::core::Cache;
use crate::read::call::Call;
use crate::read::lookup::Lookup;
use crate::read::run;
use crate::site::{Origin, ReadOptions};
use crate::ttl::IntoTtl;
use crate::value::Storable;
use crate::value::shape::{InResult, Whole};

/// Read-through operations, for code without an attribute.
impl Cache {
    /// Return the value of a key, or compute and store it. Many callers of one missing key share
    /// one computation (single-flight). A failure of the store isn't returned: the value is
    /// computed then.
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
    /// If the future is dropped while it computes, another waiting caller takes over.
    pub async fn get_or_set<T, F, Fut>(&self, key: &str, ttl: impl IntoTtl, compute: F) -> T
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let lookup = Lookup::<T, Whole>::pending(self.explicit_call("get_or_set", key, ttl));
        run::read_async(lookup, async { compute().await }).await
    }

    /// Like [`get_or_set`](Cache::get_or_set), for a computation that can fail. Errors aren't
    /// stored, and each is returned to the caller that computed it only.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # async fn run() -> Result<(), cache_runtime::CacheError> {
    /// let cache = Cache::builder().build()?;
    /// let failed = cache.try_get_or_set("answer", 60, || async { "x".parse::<u32>() }).await;
    /// assert!(failed.is_err());
    /// let parsed = cache.try_get_or_set("answer", 60, || async { "42".parse::<u32>() }).await;
    /// assert_eq!(parsed, Ok(42));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// The error of `compute`. A failure of the store isn't returned: the value is computed then.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped while it computes, another waiting caller takes over.
    pub async fn try_get_or_set<T, E, F, Fut>(
        &self,
        key: &str,
        ttl: impl IntoTtl,
        compute: F,
    ) -> Result<T, E>
    where
        T: Storable,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let call = self.explicit_call("try_get_or_set", key, ttl);
        let lookup = Lookup::<Result<T, E>, InResult<Whole>>::pending(call);
        run::read_async(lookup, async { compute().await }).await
    }

    pub(crate) fn explicit_call(
        &self,
        function: &'static str,
        key: &str,
        ttl: impl IntoTtl,
    ) -> Call {
        self.call_at(function, self.stored_key(key).into(), ttl.into_ttl())
    }

    /// Return the call for a stored key.
    pub(crate) fn call_at(
        &self,
        function: &'static str,
        key: Arc<str>,
        ttl: Option<Duration>,
    ) -> Call {
        Call {
            cache: self.clone(),
            origin: Origin::explicit(function),
            key,
            version: 0,
            cache_none: true,
            options: ReadOptions::DEFAULT,
            owner: None,
            own_staleness: None,
            wait_limit: None,
            ttl,
            refresh: false,
            due: None,
            audit: None,
            blocking: false,
        }
    }
}
