//! The prefix of a cache, and the one ambiguity that it creates: a path may begin with it too.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

/// The prefixes of this process's caches, and the number of caches with each.
static LIVE: RwLock<BTreeMap<String, usize>> = RwLock::new(BTreeMap::new());

/// The prefix of one cache.
#[derive(Debug)]
pub(crate) struct Prefix(String);

impl Prefix {
    pub(crate) fn new(prefix: String) -> Self {
        let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
        *live.entry(prefix.clone()).or_default() += 1;
        Self(prefix)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Strip the prefix from a full key of this cache.
    pub(crate) fn strip<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&*self.0)?.strip_prefix(':')
    }

    /// Return a path as the operations of this cache take it: in full, if it could be mistaken for
    /// a full key.
    pub(crate) fn unambiguous(&self, path: &str) -> String {
        match self.strip(path) {
            Some(_) => format!("{self}:{path}"),
            None => path.to_owned(),
        }
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = live.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                live.remove(&self.0);
            }
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Return a path, in full if it begins with the prefix of any cache in this process, since that
/// cache would take it for a full key.
pub(crate) fn unambiguous_to_all(path: String) -> String {
    let live = LIVE.read().unwrap_or_else(PoisonError::into_inner);
    match path.split_once(':') {
        Some((first, _)) if live.contains_key(first) => format!("{first}:{path}"),
        _ => path,
    }
}
