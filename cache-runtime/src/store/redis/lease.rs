//! Leases in Redis (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013).
//!
//! A miss puts a lease, an entry of a kind of its own with a random token, at the entry's key, and fills only
//! if that token still stands there, in one script. An invalidation deletes what stands at the key, lease or
//! value; so a computation that began before it can't fill after it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use once_cell::sync::Lazy;
use redis::{Script, ScriptInvocation};
use tokio::task::JoinHandle;

use super::RedisStore;
use super::commands::{Commands, Seen, millis};
use crate::background;
use crate::entry::{self, Kind};
use crate::error::CacheError;

static TAKE: Lazy<Script> = Lazy::new(|| Script::new(include_str!("take.lua")));
static REFRESH: Lazy<Script> = Lazy::new(|| Script::new(include_str!("refresh.lua")));
static FILL: Lazy<Script> = Lazy::new(|| Script::new(include_str!("fill.lua")));
static RENEW: Lazy<Script> = Lazy::new(|| Script::new(include_str!("renew.lua")));
static RELEASE: Lazy<Script> = Lazy::new(|| Script::new(include_str!("release.lua")));

/// The right to fill one entry. Given back when dropped; the store's own expiry gives back that of a process
/// that dies.
pub(crate) struct Lease {
    commands: Arc<Commands>,
    key: Arc<str>,
    token: u64,
    /// Whether there is something to give back.
    held: bool,
    renewal: Option<JoinHandle<()>>,
}

impl Lease {
    /// A lease that isn't taken yet.
    pub(super) fn new(commands: Arc<Commands>, key: Arc<str>) -> Self {
        Self {
            commands,
            key,
            token: fresh_token(),
            held: false,
            renewal: None,
        }
    }

    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// Stores the entry if the lease still stands. On the cache's thread only.
    pub(super) async fn fill(&self, entry: Vec<u8>, ttl: Duration) -> Result<bool, CacheError> {
        self.commands.fill(&self.key, self.token, entry, ttl).await
    }

    /// Keeps the lease alive while the body runs.
    fn granted(mut self) -> Self {
        let (commands, key, token) = (
            Arc::clone(&self.commands),
            Arc::clone(&self.key),
            self.token,
        );
        self.renewal = background::spawn(async move { commands.keep(&key, token).await }).ok();
        self
    }

    /// Notes that there is nothing to give back: it wasn't granted, or it was filled.
    pub(super) fn is_over(&mut self) {
        self.held = false;
    }
}

impl RedisStore {
    /// Takes a lease in place of exactly what was seen; `None` if something else stands there by now.
    ///
    /// The lease goes with the command: whoever goes away meanwhile leaves it to the command's task, which gives
    /// it back after it was taken, never before.
    pub(super) async fn take(
        &self,
        mut lease: Lease,
        seen: Seen,
    ) -> Result<Option<Lease>, CacheError> {
        self.run(|commands| async move {
            // Before the reply: a command whose reply is lost may have been obeyed.
            lease.held = true;
            if commands.take(&lease.key, &seen, lease.token).await? {
                return Ok(Some(lease.granted()));
            }
            lease.is_over();
            Ok(None)
        })
        .await
    }

    /// Takes a lease whatever stands there.
    pub(super) async fn take_over(&self, mut lease: Lease) -> Result<Lease, CacheError> {
        self.run(|commands| async move {
            lease.held = true;
            commands.take_over(&lease.key, lease.token).await?;
            Ok(lease.granted())
        })
        .await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        if self.held {
            let (commands, key, token) = (
                Arc::clone(&self.commands),
                Arc::clone(&self.key),
                self.token,
            );
            // What can't be given back expires.
            let _ = background::spawn(async move { commands.release(&key, token).await });
        }
    }
}

impl Commands {
    /// Takes a lease in place of exactly what was seen; false if something else stands there by now.
    pub(super) async fn take(
        &self,
        key: &str,
        seen: &Seen,
        token: u64,
    ) -> Result<bool, CacheError> {
        let lease = entry::lease(token);
        let junk = match seen {
            Seen::Absent => {
                let mut set = redis::cmd("SET");
                set.arg(self.full(key))
                    .arg(lease)
                    .arg("NX")
                    .arg("PX")
                    .arg(millis(self.lease));
                let reply: Option<String> = self
                    .link
                    .send(|mut connection| async move { set.query_async(&mut connection).await })
                    .await?;
                return Ok(reply.is_some());
            }
            Seen::Lease(_, bytes) | Seen::Entry(bytes) => &bytes[..],
            Seen::OtherType => &[],
        };
        self.script(&TAKE, key, |call| {
            call.arg(junk).arg(lease).arg(millis(self.lease))
        })
        .await
    }

    /// Takes a lease whatever stands there. A value stays readable: the token goes into its header.
    pub(super) async fn take_over(&self, key: &str, token: u64) -> Result<bool, CacheError> {
        let lease = entry::lease(token);
        let (kind, token) = (lease[..3].to_vec(), token.to_le_bytes());
        let lifetime = millis(self.lease);
        self.script(&REFRESH, key, |call| {
            call.arg(kind).arg(&token[..]).arg(lease).arg(lifetime)
        })
        .await
    }

    /// Stores the entry if the token still stands.
    pub(super) async fn fill(
        &self,
        key: &str,
        token: u64,
        entry: Vec<u8>,
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let token = token.to_le_bytes();
        self.script(&FILL, key, |call| {
            call.arg(&token[..]).arg(entry).arg(millis(ttl))
        })
        .await
    }

    async fn release(&self, key: &str, token: u64) -> Result<bool, CacheError> {
        let (lease, token) = (entry::lease(token), token.to_le_bytes());
        self.script(&RELEASE, key, |call| call.arg(&token[..]).arg(&lease[..3]))
            .await
    }

    /// Renews a lease until its flight's limit. What a failed renewal costs is that the fill may be refused.
    async fn keep(&self, key: &str, token: u64) {
        let pause = self.lease / 3;
        let mut held = pause;
        while held < self.flight_limit {
            tokio::time::sleep(pause).await;
            held += pause;
            let (lease, token) = (entry::lease(token), token.to_le_bytes());
            let lifetime = millis(self.lease);
            let renewed = self
                .script(&RENEW, key, |call| {
                    call.arg(&token[..]).arg(&lease[..3]).arg(lifetime)
                })
                .await;
            // An outage may be over before the lease is.
            if matches!(renewed, Ok(false)) {
                return;
            }
        }
    }

    /// Runs a script on one key; a server that forgot it is given it again.
    async fn script(
        &self,
        script: &Script,
        key: &str,
        arguments: impl for<'i, 's> FnOnce(&'i mut ScriptInvocation<'s>) -> &'i mut ScriptInvocation<'s>,
    ) -> Result<bool, CacheError> {
        let mut invocation = script.prepare_invoke();
        invocation.key(self.full(key));
        arguments(&mut invocation);
        let done: i64 = self
            .link
            .send(|mut connection| async move { invocation.invoke_async(&mut connection).await })
            .await?;
        Ok(done == 1)
    }
}

/// A token that no other lease has: 64 bits of a keyed hash, whose keys are random in each process.
fn fresh_token() -> u64 {
    // Not the other crate's `Lazy`: callers in a plain executor may meet here, see `background`.
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = KEYS.build_hasher();
    hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
    hasher.finish().max(1)
}

/// Keeps the layout of the header and the numbers in the scripts together.
const _: () = assert!(entry::TOKEN_OFFSET == 8 && Kind::Lease as u8 == 2);
