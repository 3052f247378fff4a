//! The calls of the scripts that take, fill, renew and give back leases.

use std::sync::Arc;
use std::time::Duration;

use redis::{Script, ScriptInvocation};

use crate::entry;
use crate::error::CacheError;
use crate::store::redis::client::{Client, Found, millis};
use crate::store::redis::index::{COMPLETE, Layout, Token, bucket_of};
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Number of members that each registration checks. With more than two, dead members can't
/// outnumber live ones.
const SAMPLE: usize = 4;

impl Client {
    /// Take a lease in place of exactly the content that was read, and register the key. Return
    /// false if the content has changed.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: &str,
        seen: &Found,
        token: u64,
    ) -> Result<bool, CacheError> {
        let seen: &[u8] = match seen {
            Found::Lease(_, bytes) | Found::Entry(bytes) => bytes,
            Found::Absent | Found::OtherType => &[],
        };
        let taken = self.lease(&lua::TAKE, &lua::TAKE_ALONE, key, token, |call| {
            call.arg(seen);
        });
        Ok(taken.await? > 0)
    }

    /// Take a lease, whatever is at the key, and register the key. With `keep`, a value stays
    /// readable: the token goes into its header, as a claim on it.
    pub(crate) async fn take_over(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        keep: bool,
    ) -> Result<(), CacheError> {
        let taken = self.lease(&lua::TAKE_OVER, &lua::TAKE_OVER_ALONE, key, token, |call| {
            call.arg(&token.to_le_bytes()[..]).arg(u8::from(keep));
        });
        taken.await.map(drop)
    }

    /// Run a script that leases and registers or, in a cluster, one that leases and then a separate
    /// registration. Return the script's answer.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        together: &Script,
        alone: &Script,
        key: &str,
        token: u64,
        further: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<i64, CacheError> {
        let layout = self.index.layout;
        let script = match layout {
            Layout::SameNode => together,
            Layout::Split => alone,
        };
        let mut answer: i64 = self
            .script(Purpose::Call, script, |call| {
                call.key(self.full_key(key));
                match layout {
                    Layout::SameNode => self.register_with(call, key),
                    Layout::Split => {
                        call.arg(&[""; 4]);
                    }
                }
                call.arg(entry::lease(token))
                    .arg(millis(self.limits.lease_ttl));
                further(call);
            })
            .await?;
        if answer > 0 && layout == Layout::Split {
            answer = self.register_split(key, token).await?;
        }
        self.registered(answer);
        Ok(answer)
    }

    /// Add the arguments that a script needs to register the key.
    fn register_with(&self, call: &mut ScriptInvocation<'_>, key: &str) {
        let key = key.as_bytes();
        call.key(self.bucket(bucket_of(key)));
        call.arg(Layout::SameNode.member(key, Token::default()))
            .arg(COMPLETE)
            .arg(self.full_key(""))
            .arg(SAMPLE);
    }

    /// Act on the answer of a registration: rebuild an incomplete set, and start the sweeper.
    fn registered(self: &Arc<Self>, answer: i64) {
        if answer == 2 {
            self.rebuild_soon();
        }
        if answer > 0 {
            self.start_sweeper();
        }
    }

    /// Store the entry if the token is still there.
    pub(crate) async fn fill(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        bytes: &[u8],
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let filled: i64 = self
            .script(Purpose::Call, &lua::FILL, |call| {
                call.key(self.full_key(key))
                    .arg(&token.to_le_bytes()[..])
                    .arg(bytes)
                    .arg(millis(ttl))
                    .arg(0);
            })
            .await?;
        Ok(filled == 1)
    }

    pub(crate) async fn release(
        self: &Arc<Self>,
        key: &str,
        token: u64,
        withdraws: bool,
    ) -> Result<bool, CacheError> {
        let released: i64 = self
            .script(Purpose::Call, &lua::RELEASE, |call| {
                call.key(self.full_key(key))
                    .arg(&token.to_le_bytes()[..])
                    .arg(u8::from(withdraws));
            })
            .await?;
        Ok(released == 1)
    }

    /// Renew a lease until its flight's time limit. If a renewal fails, the fill may be refused,
    /// and nothing worse happens.
    pub(crate) async fn renew(self: &Arc<Self>, key: &str, token: u64) {
        let pause = (self.limits.lease_ttl / 3).max(Duration::from_millis(1));
        let mut held = pause;
        while held < self.limits.wait_timeout {
            tokio::time::sleep(pause).await;
            held += pause;
            let renewed: Result<i64, CacheError> = self
                .script(Purpose::Call, &lua::RENEW, |call| {
                    call.key(self.full_key(key))
                        .arg(&token.to_le_bytes()[..])
                        .arg(millis(self.limits.lease_ttl));
                })
                .await;
            // Other errors don't end the loop, since an outage may end before the lease does.
            if matches!(renewed, Ok(0)) {
                return;
            }
        }
    }
}
