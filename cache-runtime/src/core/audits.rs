//! State that the audits of one cache share: their limit, and their results.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::core::Cache;

/// The most findings that are kept.
const FINDINGS: usize = 32;
/// The most keys that are looked at again at one time.
const DOUBTS: usize = 8;

/// A stale entry that an audit has found: the body, run again, returned another value, twice and at
/// an interval, while the entry stayed. Returned by [`Cache::audits`].
///
/// Some change has passed the cache: a write without `#[invalidate]`, a pattern that doesn't match
/// the key, another program, or a person at the database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AuditFinding {
    /// The key in Redis and in logs, with the prefix.
    pub key: String,
    /// The function's module and name, such as `blog::posts::get_post`.
    pub function: String,
    /// Its key as written; without one, the path `crate:module:function`.
    pub template: String,
    /// How long ago the entry was stored when it was found. Serialized as seconds.
    #[serde(serialize_with = "to_seconds", deserialize_with = "from_seconds")]
    pub age: Duration,
    /// When it was found, in milliseconds since the Unix epoch, by the clock of its machine.
    pub found: u64,
    /// The functions of the program whose patterns match the key, with their modules: one of them
    /// may have run without reaching the entry. Empty: no write of the program invalidates it.
    pub writes: Vec<String>,
}

fn to_seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

fn from_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

impl fmt::Display for AuditFinding {
    /// Format it as one sentence: the entry, and the writes that should have reached it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            function,
            template,
            age,
            writes,
            ..
        } = self;
        let age = age.as_secs_f64();
        write!(
            f,
            "{key} is stale: `{function}` (key \"{template}\") returns another value than the one \
             that was stored {age:.0} s ago; "
        )?;
        if writes.is_empty() {
            return f.write_str("no write of the program invalidates it");
        }
        write!(f, "writes that invalidate it: {}", writes.join(", "))
    }
}

impl Cache {
    /// Return the stale entries that the audits of this process have found last, at most 32, oldest
    /// first. See the `audit` option of [`#[cacheable]`](macro@crate::cacheable).
    ///
    /// They are kept until the cache is dropped: an entry that has been invalidated since is listed,
    /// too. [`snapshot`](Self::snapshot) and, for all processes on one Redis, [`fleet`](Self::fleet)
    /// and [`diagnose`](Self::diagnose) include them.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// let cache = Cache::builder().build()?;
    /// for stale in cache.audits() {
    ///     println!("{stale}");
    /// }
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn audits(&self) -> Vec<AuditFinding> {
        self.inner.audits.findings()
    }
}

/// The audits of a cache.
pub(crate) struct Audits {
    /// The part of hits that are audited, of functions that name none.
    pub(crate) rate: f64,
    /// The least time between the beginnings of two audits.
    interval: Duration,
    /// The turn of the one body that runs.
    turn: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the next audit may begin; `None` for at once.
    next: Option<Instant>,
    /// The keys that are looked at again.
    doubts: Vec<Arc<str>>,
    findings: VecDeque<(Identity, AuditFinding)>,
}

/// Distinguishes an entry from others of its key.
pub(crate) type Identity = u64;

/// The turn to run a body. Given back when dropped.
pub(crate) type Turn = OwnedSemaphorePermit;

impl Audits {
    /// `limit`: the most audits a second.
    pub(crate) fn new(rate: f64, limit: u32) -> Self {
        Self {
            rate,
            interval: Duration::from_secs(1) / limit.max(1),
            turn: Arc::new(Semaphore::new(1)),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an audit could begin now.
    pub(crate) fn is_free(&self) -> bool {
        self.turn.available_permits() > 0
    }

    /// Return the turn for an audit of this entry, if none runs, the last one began long enough ago,
    /// and the entry is neither looked at already nor known to be stale.
    pub(crate) fn admit(&self, key: &str, entry: Identity) -> Option<Turn> {
        let turn = Arc::clone(&self.turn).try_acquire_owned().ok()?;
        let now = Instant::now();
        let mut state = self.state();
        if state.next.is_some_and(|next| now < next)
            || state.doubts.len() >= DOUBTS
            || state.doubts.iter().any(|doubt| **doubt == *key)
            || state.knows(key, entry)
        {
            return None;
        }
        state.next = now.checked_add(self.interval);
        Some(turn)
    }

    /// Wait for the turn to run a body once more. `None` never occurs: the semaphore isn't closed.
    pub(crate) async fn turn(&self) -> Option<Turn> {
        Arc::clone(&self.turn).acquire_owned().await.ok()
    }

    /// Note that a key is looked at again.
    pub(crate) fn doubt(&self, key: &Arc<str>) {
        self.state().doubts.push(Arc::clone(key));
    }

    /// Note that a key isn't looked at any longer.
    pub(crate) fn settled(&self, key: &str) {
        self.state().doubts.retain(|doubt| **doubt != *key);
    }

    /// Keep a finding.
    pub(crate) fn found(&self, entry: Identity, finding: AuditFinding) {
        let mut state = self.state();
        if state.findings.len() >= FINDINGS {
            state.findings.pop_front();
        }
        state.findings.push_back((entry, finding));
    }

    pub(crate) fn findings(&self) -> Vec<AuditFinding> {
        let state = self.state();
        let findings = state.findings.iter();
        findings.map(|(_, finding)| finding.clone()).collect()
    }
}

impl State {
    /// Whether this very entry was found stale.
    fn knows(&self, key: &str, entry: Identity) -> bool {
        let is_it = |(known, finding): &(Identity, AuditFinding)| {
            let path = finding.key.split_once(':').map(|(_, path)| path);
            *known == entry && path == Some(key)
        };
        self.findings.iter().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_audit_runs_at_a_time_and_the_next_begins_after_the_interval() {
        let audits = Audits::new(1.0, 10);
        let turn = audits.admit("a", 1).expect("nothing runs");
        assert!(!audits.is_free() && audits.admit("b", 1).is_none());
        drop(turn);
        assert!(audits.is_free());
        assert!(audits.admit("b", 1).is_none(), "within the interval");
        audits.state().next = Some(Instant::now());
        assert!(audits.admit("b", 1).is_some());
    }

    #[test]
    fn an_entry_in_doubt_or_known_to_be_stale_is_not_audited_again() {
        let audits = Audits::new(1.0, u32::MAX);
        let admit = |key, entry| {
            audits.state().next = None;
            audits.admit(key, entry).is_some()
        };
        audits.doubt(&"a".into());
        assert!(!admit("a", 1) && admit("b", 1));
        audits.settled("a");
        assert!(admit("a", 1));
        let finding = AuditFinding {
            key: "cache:a".to_owned(),
            ..AuditFinding::default()
        };
        audits.found(1, finding.clone());
        assert!(!admit("a", 1), "it is known");
        assert!(admit("a", 2), "another entry of the key isn't");
        for key in 0..DOUBTS {
            audits.doubt(&key.to_string().into());
        }
        assert!(!admit("b", 1), "enough keys are looked at");
        for entry in 0..100 {
            audits.found(entry, finding.clone());
        }
        assert_eq!(audits.findings().len(), FINDINGS);
    }

    #[test]
    fn a_finding_names_the_writes_that_should_have_reached_it() {
        let mut finding = AuditFinding {
            key: "cache:posts:1".to_owned(),
            function: "app::post".to_owned(),
            template: "posts:<<id>>".to_owned(),
            age: Duration::from_millis(12_300),
            ..AuditFinding::default()
        };
        let start = "cache:posts:1 is stale: `app::post` (key \"posts:<<id>>\") returns another value \
                     than the one that was stored 12 s ago; ";
        let none = "no write of the program invalidates it";
        assert_eq!(finding.to_string(), format!("{start}{none}"));
        finding.writes = vec!["app::update".to_owned(), "app::delete".to_owned()];
        let writes = "writes that invalidate it: app::update, app::delete";
        assert_eq!(finding.to_string(), format!("{start}{writes}"));
    }

    #[test]
    fn a_finding_is_read_as_it_was_written() {
        let finding = AuditFinding {
            key: "cache:posts:1".to_owned(),
            age: Duration::from_millis(1500),
            writes: vec!["app::update".to_owned()],
            ..AuditFinding::default()
        };
        let text = serde_json::to_string(&finding).expect("it is written");
        assert!(text.contains("\"age\":1.5"), "{text}");
        let read: AuditFinding = serde_json::from_str(&text).expect("it is read");
        assert_eq!(read, finding);
    }
}
