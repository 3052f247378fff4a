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
use super::index::{Layout, Token, WHOLE, bucket_of};
use super::nearby::Kept;
use super::outage::Errand;
use crate::background;
use crate::entry::{self, Kind};
use crate::error::CacheError;

/// How many members each registration looks at: with more than two, the dead can't outnumber the living.
const SAMPLE: usize = 4;

static TAKE: Lazy<Script> = Lazy::new(|| {
    Script::new(concat!(
        include_str!("lua/take.lua"),
        include_str!("lua/register.lua")
    ))
});
static TAKE_OVER: Lazy<Script> = Lazy::new(|| {
    Script::new(concat!(
        include_str!("lua/take_over.lua"),
        include_str!("lua/register.lua")
    ))
});
/// The same where the set is on another node: without the registration, which follows.
static TAKE_ALONE: Lazy<Script> =
    Lazy::new(|| Script::new(concat!(include_str!("lua/take.lua"), "return 1")));
static TAKE_OVER_ALONE: Lazy<Script> =
    Lazy::new(|| Script::new(concat!(include_str!("lua/take_over.lua"), "return 1")));
pub(super) static FILL: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/fill.lua")));
static RENEW: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/renew.lua")));
static RELEASE: Lazy<Script> = Lazy::new(|| Script::new(include_str!("lua/release.lua")));

/// The right to fill one entry. Given back when dropped; the store's own expiry gives back that of a process
/// that dies.
pub(crate) struct Lease {
    pub(super) commands: Arc<Commands>,
    pub(super) key: Arc<str>,
    token: u64,
    /// Whether there is something to give back.
    pub(super) held: bool,
    /// Whether the value that it claims is outdated, and goes with it.
    pub(crate) withdraws: bool,
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
            withdraws: false,
            renewal: None,
        }
    }

    pub(crate) fn token(&self) -> u64 {
        self.token
    }

    /// Where it was taken.
    pub(super) fn store(&self) -> RedisStore {
        RedisStore::of(Arc::clone(&self.commands))
    }

    /// Stores the entry if the lease still stands, and keeps its value near where one is given. On the cache's thread only.
    pub(super) async fn fill(
        &self,
        entry: &[u8],
        ttl: Duration,
        near: Option<Kept>,
    ) -> Result<bool, CacheError> {
        if let Some(kept) = near
            && let Some(filled) = self
                .commands
                .fill_tracked(&self.key, self.token, entry, ttl, kept)
                .await?
        {
            return Ok(filled);
        }
        let filled = self.commands.fill(&self.key, self.token, entry, ttl).await;
        // Whoever comes after this fill must not find here what was before it.
        self.commands.void_near(&self.key);
        filled
    }

    /// Keeps the lease alive while the body runs.
    pub(super) fn granted(mut self) -> Self {
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
            commands.take_over(&lease.key, lease.token, true).await?;
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
            let withdraws = self.withdraws;
            let _ = background::spawn(async move {
                commands.give_back(key, token, withdraws).await;
            });
        }
    }
}

impl Commands {
    /// Takes a lease in place of exactly what was seen, and registers the key; false if something else stands there
    /// by now.
    pub(super) async fn take(
        self: &Arc<Self>,
        key: &str,
        seen: &Seen,
        token: u64,
    ) -> Result<bool, CacheError> {
        let seen: &[u8] = match seen {
            Seen::Lease(_, bytes) | Seen::Entry(bytes) => bytes,
            Seen::Absent | Seen::OtherType => &[],
        };
        let taken = self.lease(&TAKE, &TAKE_ALONE, key, token, |call| {
            call.arg(seen);
        });
        Ok(taken.await? > 0)
    }

    /// Takes a lease whatever stands there, and registers the key. A value that is to be kept stays readable: the
    /// token goes into its header, as a claim on it.
    pub(super) async fn take_over(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        keep: bool,
    ) -> Result<(), CacheError> {
        let taken = self.lease(&TAKE_OVER, &TAKE_OVER_ALONE, key, token, |call| {
            call.arg(entry::start_of_a_lease())
                .arg(&token.to_le_bytes()[..])
                .arg(u8::from(keep));
        });
        taken.await.map(drop)
    }

    /// Runs a script that leases and registers, or the one that leases alone and then registers; what it answers.
    pub(super) async fn lease(
        self: &Arc<Self>,
        together: &Script,
        alone: &Script,
        key: &str,
        token: u64,
        further: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<i64, CacheError> {
        let layout = self.index.layout;
        let script = match layout {
            Layout::Together => together,
            Layout::Apart => alone,
        };
        let mut answer: i64 = self
            .script(Errand::Call, script, |call| {
                call.key(self.full(key));
                match layout {
                    Layout::Together => self.register_with(call, key),
                    Layout::Apart => {
                        call.arg(&[""; 4]);
                    }
                }
                call.arg(entry::lease(token)).arg(millis(self.limits.lease));
                further(call);
            })
            .await?;
        if answer > 0 && layout == Layout::Apart {
            answer = self.register_apart(key, token).await?;
        }
        self.registered(answer);
        Ok(answer)
    }

    /// What a script needs to register the key, too.
    fn register_with(&self, call: &mut ScriptInvocation<'_>, key: &str) {
        let key = key.as_bytes();
        call.key(self.bucket(bucket_of(key)));
        call.arg(Layout::Together.member(key, Token::default()))
            .arg(WHOLE)
            .arg(self.full(""))
            .arg(SAMPLE);
    }

    /// What follows a registration: a walk if the set isn't whole, and the sweeper.
    fn registered(self: &Arc<Self>, answer: i64) {
        if answer == 2 {
            self.make_whole_soon();
        }
        if answer > 0 {
            self.sweep_from_now_on();
        }
    }

    /// Stores the entry if the token still stands.
    pub(super) async fn fill(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        bytes: &[u8],
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let filled: i64 = self
            .script(Errand::Call, &FILL, |call| {
                call.key(self.full(key))
                    .arg(&token.to_le_bytes()[..])
                    .arg(bytes)
                    .arg(millis(ttl))
                    .arg(entry::start_of_a_lease())
                    .arg(0);
            })
            .await?;
        Ok(filled == 1)
    }

    pub(super) async fn release(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        withdraws: bool,
    ) -> Result<bool, CacheError> {
        let released: i64 = self
            .script(Errand::Call, &RELEASE, |call| {
                call.key(self.full(key))
                    .arg(&token.to_le_bytes()[..])
                    .arg(entry::start_of_a_lease())
                    .arg(u8::from(withdraws));
            })
            .await?;
        Ok(released == 1)
    }

    /// Renews a lease until its flight's limit. What a failed renewal costs is that the fill may be refused.
    async fn keep(self: &Arc<Self>, key: &str, token: u64) {
        let pause = (self.limits.lease / 3).max(Duration::from_millis(1));
        let mut held = pause;
        while held < self.limits.flight {
            tokio::time::sleep(pause).await;
            held += pause;
            let renewed: Result<i64, CacheError> = self
                .script(Errand::Call, &RENEW, |call| {
                    call.key(self.full(key))
                        .arg(&token.to_le_bytes()[..])
                        .arg(entry::start_of_a_lease());
                    call.arg(millis(self.limits.lease));
                })
                .await;
            // An outage may be over before the lease is.
            if matches!(renewed, Ok(0)) {
                return;
            }
        }
    }
}

/// A token that no other lease has: 64 bits of a keyed hash, whose keys are random in each process.
pub(super) fn fresh_token() -> u64 {
    // Not the other crate's `Lazy`: callers in a plain executor may meet here, see `background`.
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut hasher = KEYS.build_hasher();
    hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed));
    hasher.finish().max(1)
}

/// Keeps the layout of the header and the numbers in the scripts together.
const _: () = assert!(entry::TOKEN_OFFSET == 8 && Kind::Lease as u8 == 2);
