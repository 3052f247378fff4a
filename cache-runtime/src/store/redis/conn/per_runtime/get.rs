//! A plain read over a connection of the caller's own runtime.

use std::future::Future;
use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{Either, select};
use redis::{Cmd, RedisResult, RedisWrite, ToRedisArgs, Value};

use crate::error::CacheError;
use crate::store::redis::RedisStore;
use crate::store::redis::client::{Client, Found, parse_get};
use crate::store::redis::conn::per_runtime::{PAUSE, RuntimeConnection};
use crate::store::redis::times::Operation;

/// Full key, written into the command without an intermediate `String`.
struct FullKey<'a> {
    prefix: &'a str,
    key: &'a str,
}

impl ToRedisArgs for FullKey<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut writer = out.writer_for_next_arg();
        for part in [self.prefix, ":", self.key] {
            // Writes to memory can't fail.
            let _ = writer.write_all(part.as_bytes());
        }
    }
}

impl RedisStore {
    /// Read a key by a plain `GET`, over a connection of the caller's own runtime if there is one,
    /// otherwise over the main connection. Dropping the future is safe, since a read changes
    /// nothing.
    pub(crate) async fn read(&self, key: &Arc<str>) -> Result<Found, CacheError> {
        let client = self.client();
        client.breaker.check()?;
        let over_main = || {
            let key = Arc::clone(key);
            self.run(
                Operation::Get,
                |client| async move { client.read(&key).await },
            )
        };
        let Some(local) = client.per_runtime.connection_of_caller(client) else {
            return over_main().await;
        };
        let get = client.get(key);
        let begun = Instant::now();
        let mut connection = local.connection.clone();
        let mut reply = pin!(connection.send_packed_command(&get));
        match client.per_runtime.timer.wait(&mut reply).await {
            Some(reply) => match client.interpret(&local, reply) {
                Some(seen) => {
                    client.times.record(Operation::Get, begun.elapsed());
                    Ok(seen)
                }
                None => over_main().await,
            },
            None => {
                client.per_runtime.refuse_more(&local);
                client.read_twice(&local, begun, reply, over_main()).await
            }
        }
    }
}

impl Client {
    fn get(&self, key: &str) -> Cmd {
        let mut get = Cmd::with_capacity(2, "GET".len() + self.prefix.len() + 1 + key.len());
        let prefix = &self.prefix;
        get.arg("GET").arg(FullKey { prefix, key });
        get
    }

    /// Interpret the reply. Return `None` if it is inconclusive, or comes from a server that may no
    /// longer be the main connection's.
    fn interpret(&self, local: &RuntimeConnection, reply: RedisResult<Value>) -> Option<Found> {
        let reply = match reply {
            Ok(Value::BulkString(bytes)) => parse_get(Ok(Some(bytes))).ok(),
            Ok(Value::Nil) => Some(Found::Absent),
            Ok(Value::ServerError(error)) if error.code() == "WRONGTYPE" => Some(Found::OtherType),
            // The main connection decides what another error means. A connection that broke is
            // noticed with its runtime, or here.
            _ => {
                self.per_runtime.refuse_more(local);
                None
            }
        };
        reply
            .filter(|_| self.manager.number() == Some(local.number) && self.breaker.check().is_ok())
    }

    /// Wait for the late reply and for that of the main connection, and return the first. The
    /// caller's runtime may be busy or not driven, or the server may be slow. If the server is
    /// silent, the main connection finds that out, and the caller doesn't wait for it twice.
    async fn read_twice(
        &self,
        local: &RuntimeConnection,
        begun: Instant,
        late: impl Future<Output = RedisResult<Value>>,
        over_main: impl Future<Output = Result<Found, CacheError>>,
    ) -> Result<Found, CacheError> {
        match select(pin!(late), pin!(over_main)).await {
            Either::Left((reply, over_main)) => match self.interpret(local, reply) {
                Some(seen) => {
                    self.times.record(Operation::Get, begun.elapsed());
                    Ok(seen)
                }
                None => over_main.await,
            },
            Either::Right((seen, _)) => seen,
        }
    }
}

impl crate::store::redis::conn::per_runtime::PerRuntime {
    /// Drop this connection, and open no other for its runtime for a while.
    fn refuse_more(&self, local: &RuntimeConnection) {
        self.refuse(local.runtime, local.serial, PAUSE);
    }
}
