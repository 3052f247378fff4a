//! The version of a page's data, which the closure of `etag_by` finds.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;

/// The closure that finds the version of a page's data.
#[derive(Clone)]
pub(crate) struct EtagBy(Arc<dyn Fn(Parts) -> Finding + Send + Sync>);

type Finding = Pin<Box<dyn Future<Output = Version> + Send>>;

/// The version that the closure has found.
pub(crate) struct Version(Option<String>);

impl Version {
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl EtagBy {
    pub(crate) fn new<F, V>(version: impl Fn(Parts) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Option<V>> + Send + 'static,
        V: fmt::Display,
    {
        let version = Arc::new(version);
        Self(Arc::new(move |parts| {
            let version = Arc::clone(&version);
            Box::pin(async move {
                let found = version(parts).await;
                Version(found.map(|version| version.to_string()))
            })
        }))
    }

    /// Find the version, in the task that polls the future.
    pub(crate) fn find(&self, parts: Parts) -> Finding {
        (self.0)(parts)
    }
}
