//! The calls of the scripts that take, fill, renew and give back leases.

use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::Lazy;
use redis::{FromRedisValue, Script, ScriptInvocation, Value, from_redis_value};

use crate::entry::{self, LeasePurpose};
use crate::error::CacheError;
use crate::store::redis::client::{Client, Found, millis, parse_get};
use crate::store::redis::index::{COMPLETE, Layout, Token, bucket_of};
use crate::store::redis::lease::{Lease, fresh_token};
use crate::store::redis::lua;
use crate::store::redis::purpose::Purpose;

/// Number of members that a registration checks, and how many registrations there are to each one
/// that does. If they check more than two each on average, dead members can't outnumber live ones.
/// Finding the first takes longer than checking the others.
const SAMPLE: u64 = 16;
const CHECKS_ONE_IN: u64 = 4;

/// A script that leases and registers, and one that only leases.
type Scripts = (&'static Lazy<Script>, &'static Lazy<Script>);

impl Client {
    /// Take a lease in place of exactly the content that was read, and register the key. Return
    /// false if the content has changed.
    pub(crate) async fn take(
        self: &Arc<Self>,
        lease: &Lease,
        seen: &Found,
    ) -> Result<bool, CacheError> {
        let seen: &[u8] = match seen {
            Found::Lease(_, bytes) | Found::Entry(bytes) => bytes,
            Found::Absent | Found::OtherType => &[],
        };
        let scripts = (&lua::TAKE, &lua::TAKE_ALONE);
        let (key, owner) = ((&*lease.key, lease.token()), lease.owner.as_deref());
        let taken = self.lease(scripts, key, owner, |call| {
            call.arg(seen);
        });
        Ok(taken.await? > 0)
    }

    /// Read a key; if there is nothing, take a lease and register the key. Return the content if the
    /// lease wasn't taken.
    pub(crate) async fn get_or_take(
        self: &Arc<Self>,
        lease: &Lease,
    ) -> Result<Option<Found>, CacheError> {
        let scripts = (&lua::GET_OR_TAKE, &lua::GET_OR_TAKE_ALONE);
        let key = (&*lease.key, lease.token());
        let answer: Value = self
            .run_lease_script(
                LeasePurpose::Read,
                scripts,
                key,
                lease.owner.as_deref(),
                |_| {},
            )
            .await?;
        if let Value::BulkString(bytes) = answer {
            return parse_get(Ok(Some(bytes))).map(Some);
        }
        let answer = from_redis_value(answer).map_err(CacheError::store)?;
        self.register_leased(key, answer).await?;
        Ok(None)
    }

    /// Take a lease, whatever is at the key, and register the key. With `keep`, a value stays
    /// readable: the token goes into its header, as a claim on it.
    pub(crate) async fn take_over(
        self: &Arc<Self>,
        (key, token): (&str, u64),
        owner: Option<&str>,
        keep: bool,
    ) -> Result<(), CacheError> {
        let scripts = (&lua::TAKE_OVER, &lua::TAKE_OVER_ALONE);
        let taken = self.lease(scripts, (key, token), owner, |call| {
            call.arg(&token.to_le_bytes()[..]).arg(u8::from(keep));
        });
        taken.await.map(drop)
    }

    /// Take the lease of a write-through, whatever is at the key, and register the key. If another
    /// write-through holds a lease, neither of the two can fill.
    pub(crate) async fn take_write(self: &Arc<Self>, lease: &Lease) -> Result<(), CacheError> {
        let scripts = (&lua::TAKE_WRITE, &lua::TAKE_WRITE_ALONE);
        let token = lease.token();
        let key = (&*lease.key, token);
        let taken = self.lease_for(LeasePurpose::Write, scripts, key, None, |call| {
            call.arg(&token.to_le_bytes()[..])
                .arg(entry::lease(token, LeasePurpose::ContestedWrite));
        });
        taken.await.map(drop)
    }

    /// Run a script that leases for a read and registers, as [`lease_for`](Self::lease_for) does.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        scripts: Scripts,
        key: (&str, u64),
        owner: Option<&str>,
        further: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<i64, CacheError> {
        self.lease_for(LeasePurpose::Read, scripts, key, owner, further)
            .await
    }

    /// Run a script that leases and registers or, in a cluster, one that leases and then a separate
    /// registration. Return the script's answer.
    async fn lease_for(
        self: &Arc<Self>,
        purpose: LeasePurpose,
        scripts: Scripts,
        key: (&str, u64),
        owner: Option<&str>,
        further: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<i64, CacheError> {
        let answer = self
            .run_lease_script(purpose, scripts, key, owner, further)
            .await?;
        self.register_leased(key, answer).await
    }

    /// Run a script that leases. It also registers the key, unless the index set may be on another
    /// node.
    async fn run_lease_script<T: FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        purpose: LeasePurpose,
        (together, alone): Scripts,
        (key, token): (&str, u64),
        owner: Option<&str>,
        further: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<T, CacheError> {
        let layout = self.index.layout;
        let script = match layout {
            Layout::SameNode => together,
            Layout::Split => alone,
        };
        let script: &Script = script;
        self.script(Purpose::Call, script, |call| {
            call.key(self.full_key(key));
            match layout {
                Layout::SameNode => self.register_with(call, key),
                Layout::Split => {
                    call.arg(&[""; 4]);
                }
            }
            call.arg(entry::lease(token, purpose))
                .arg(millis(self.limits.lease_ttl));
            further(call);
            let [owner, _, lasts, directory] = self.fill_arguments(owner);
            call.arg(owner).arg(lasts).arg(directory);
        })
        .await
    }

    /// Complete the registration of a key that was leased, if the script answered that it was.
    /// Return the answer, or that of the separate registration.
    async fn register_leased(
        self: &Arc<Self>,
        (key, token): (&str, u64),
        mut answer: i64,
    ) -> Result<i64, CacheError> {
        if answer > 0 && self.index.layout == Layout::Split {
            answer = self.register_split(key, token).await?;
        }
        self.registered(answer);
        Ok(answer)
    }

    /// Add the arguments that a script needs to register the key.
    fn register_with(&self, call: &mut ScriptInvocation<'_>, key: &str) {
        let key = key.as_bytes();
        // At random, since a program may register keys of several sets in turn. Not by the lease's
        // token, which a batch shares.
        let checks = fresh_token().is_multiple_of(CHECKS_ONE_IN);
        call.key(self.bucket(bucket_of(key)));
        call.arg(Layout::SameNode.member(key, Token::default()))
            .arg(COMPLETE)
            .arg(self.full_key(""))
            .arg(if checks { SAMPLE } else { 0 });
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
        (key, token): (&str, u64),
        owner: Option<&str>,
        bytes: &[u8],
        ttl: Duration,
    ) -> Result<bool, CacheError> {
        let filled: i64 = self
            .script(Purpose::Call, &lua::FILL, |call| {
                call.key(self.full_key(key))
                    .arg(&token.to_le_bytes()[..])
                    .arg(bytes)
                    .arg(millis(ttl))
                    .arg(0)
                    .arg(&self.fill_arguments(owner));
            })
            .await?;
        self.note_directory(filled);
        Ok(filled > 0)
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
