//! A route that a layer caches: its options, and what it learns.

mod recent_keys;
mod version;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cache_runtime::Cache;
use http::HeaderName;
use http::request::Parts;

use crate::no_key::NoKey;
use crate::rules::storage::Policy;
use crate::rules::target::QueryFilter;
use crate::rules::vary::VaryingFields;
use crate::template::PageTemplate;
use recent_keys::RecentKeys;
pub(crate) use version::{EtagBy, Version};

/// Largest number of field names that one route learns from `Vary`.
const MAX_LEARNED: usize = 16;

/// The configuration of a layer, and what it learns.
pub(crate) struct Route {
    pub(crate) options: Options,
    /// Names of fields that responses vary by and that the layer wasn't told.
    learned: RwLock<VaryingFields>,
    /// Whether there are any in `learned`.
    has_learned: AtomicBool,
    /// The warnings that were logged, each once.
    told: RwLock<HashSet<String>>,
    /// Keys whose responses lately couldn't be stored.
    pub(crate) passes: RecentKeys,
    /// URLs of which a variant was stored, without the fields that it varies by.
    pub(crate) varying: RecentKeys,
}

#[derive(Clone)]
pub(crate) struct Options {
    /// `None`: by the URL's path.
    pub(crate) template: Option<PageTemplate>,
    /// Options that the rules of HTTP depend on.
    pub(crate) policy: Policy,
    pub(crate) jitter: f64,
    pub(crate) version: u32,
    pub(crate) max_body: usize,
    pub(crate) vary: VaryingFields,
    pub(crate) query: QueryFilter,
    pub(crate) host: bool,
    pub(crate) browser: Option<Duration>,
    pub(crate) status_header: HeaderName,
    pub(crate) bypass: Option<Condition>,
    pub(crate) etag_by: Option<EtagBy>,
    pub(crate) enabled: bool,
    pub(crate) cache: Option<Cache>,
    pub(crate) debug: bool,
}

/// A condition on requests.
pub(crate) type Condition = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

impl Route {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            learned: RwLock::default(),
            has_learned: AtomicBool::new(false),
            told: RwLock::default(),
            passes: RecentKeys::new(Duration::from_secs(10)),
            varying: RecentKeys::new(Duration::from_secs(600)),
        }
    }

    /// Return whether each user has pages of their own.
    pub(crate) fn has_user(&self) -> bool {
        self.options
            .template
            .is_some_and(|template| template.has_user())
    }

    /// Return the names of all fields that responses of this route are known to vary by, if there
    /// are others than the layer was told.
    pub(crate) fn learned(&self) -> Option<VaryingFields> {
        // Most routes learn nothing. Threads that read a flag don't contend, unlike those that lock.
        if !self.has_learned.load(Ordering::Acquire) {
            return None;
        }
        let learned = self.learned.read().unwrap_or_else(PoisonError::into_inner);
        Some(self.options.vary.and(&learned))
    }

    /// Whether the key was made with all fields that the response varies by. Otherwise remember
    /// them for the next request.
    pub(crate) fn is_told_by(&self, used: &VaryingFields, named: &VaryingFields) -> bool {
        if used.and(named) == *used {
            return true;
        }
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        let all = learned.and(named);
        if all.len() <= MAX_LEARNED {
            *learned = all;
            self.has_learned.store(true, Ordering::Release);
        }
        false
    }

    /// Say once why requests of this route aren't cached.
    pub(crate) fn tell(&self, reason: &NoKey) {
        // A client's mistake, not the program's.
        if matches!(reason, NoKey::Unkeyable(_)) {
            return;
        }
        let text = reason.to_string();
        let known = self.told.read().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&text) {
            return;
        }
        drop(known);
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        if told.insert(text) {
            let template = self.options.template.map_or("by_url", |known| known.text);
            tracing::warn!(target: "cache", template, "[Cache] the responses of `{template}` aren't cached: {reason}");
        }
    }
}
