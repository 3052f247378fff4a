//! The check of a new connection: which server it leads to, and whether this user may run every
//! command that calls run.
//!
//! A check that tries fewer commands than calls do would close the breaker only for the next call
//! to open it again. The whole check takes one round trip.

use redis::aio::ConnectionLike;
use redis::{ErrorKind, Pipeline, RedisError, RedisResult, Value, from_redis_value};

use crate::store::redis::conn::manager::identity;
use crate::store::redis::conn::server_error::{Refused, error_code, refused};
use crate::store::redis::lua;

/// TTL of the check's keys in milliseconds. The script deletes them at its end, unless it fails
/// halfway.
const LIFETIME: u32 = 1_000;

/// The commands to check, and the keys to try them on.
#[derive(Clone, Copy)]
pub(crate) struct Checked<'a> {
    pub(crate) prefix: &'a str,
    /// Whether the program has functions with `owner`, which need more commands.
    pub(crate) owners: bool,
}

/// Check a single server that has all keys. Return its identity, or `None` if this user may not
/// query it.
///
/// # Errors
///
/// The first command that fails. If the server or the user lacks the command, the error says what
/// to do.
pub(crate) async fn check_server(
    connection: &mut impl ConnectionLike,
    checked: Checked<'_>,
) -> RedisResult<Option<String>> {
    let prefix = checked.prefix;
    let mut pipeline = redis::pipe();
    for section in ["server", "replication"] {
        pipeline.cmd("INFO").arg(section);
    }
    let keys = [format!("{prefix}#probe"), format!("{prefix}:#probe")];
    let names = append_commands(&mut pipeline, &keys, checked.owners);
    pipeline.cmd("MGET").arg(&keys);
    let replies = connection
        .req_packed_commands(&pipeline, 0, 2 + names.len() + 1)
        .await?;
    let mut replies = replies.into_iter();
    let info: Vec<RedisResult<Value>> =
        replies.by_ref().take(2).map(Value::extract_error).collect();
    let identity = match info.into_iter().collect::<RedisResult<Vec<Value>>>() {
        Ok(sections) => {
            let sections: RedisResult<Vec<String>> = sections
                .into_iter()
                .map(|section| Ok(from_redis_value(section)?))
                .collect();
            match &sections?[..] {
                [server, ..] if server.contains("redis_mode:cluster") => {
                    return Err(is_of_a_cluster());
                }
                [server, replication] => Some(identity(server, replication)),
                _ => None,
            }
        }
        // With a single server the cache works without `INFO`.
        Err(error) if refused(&error).is_some() => None,
        Err(error) => return Err(error),
    };
    let names = names.into_iter().chain(["MGET"]);
    all_went_through(names.zip(replies), prefix)?;
    Ok(identity)
}

/// Check a master of a cluster, using a key in one of its slots that isn't an entry.
///
/// # Errors
///
/// Those of [`check_server`].
pub(crate) async fn check_master(
    connection: &mut impl ConnectionLike,
    checked: Checked<'_>,
    key: String,
) -> RedisResult<()> {
    let mut pipeline = redis::pipe();
    let names = append_commands(&mut pipeline, &[key], checked.owners);
    let replies = connection
        .req_packed_commands(&pipeline, 0, names.len())
        .await?;
    all_went_through(names.into_iter().zip(replies), checked.prefix)
}

/// Append every command that calls send, scripts included, for these keys. Return the commands'
/// names.
fn append_commands(pipeline: &mut Pipeline, keys: &[String], owners: bool) -> Vec<&'static str> {
    let last = keys.last().map_or("", String::as_str);
    let mut names = Vec::new();
    let scripts = [
        (lua::CAPABILITIES_CODE, &lua::CAPABILITIES),
        (lua::OWNER_CAPABILITIES_CODE, &lua::OWNER_CAPABILITIES),
    ];
    for (code, script) in scripts.into_iter().take(1 + usize::from(owners)) {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(code);
        pipeline
            .cmd("EVALSHA")
            .arg(script.get_hash())
            .arg(keys.len());
        pipeline.arg(keys).arg(LIFETIME);
        names.extend(["SCRIPT", "EVALSHA"]);
    }
    if owners {
        pipeline.cmd("HSCAN").arg(last).arg(0);
        names.push("HSCAN");
    }
    pipeline.cmd("GET").arg(last);
    pipeline.cmd("PTTL").arg(last);
    pipeline.cmd("ZRANDMEMBER").arg(last).arg(1);
    pipeline
        .cmd("SCAN")
        .arg(0)
        .arg("MATCH")
        .arg(last)
        .arg("COUNT")
        .arg(1);
    names.extend(["GET", "PTTL", "ZRANDMEMBER", "SCAN"]);
    names
}

/// Return the first failure among the replies, with an explanation.
fn all_went_through(
    replies: impl Iterator<Item = (&'static str, Value)>,
    prefix: &str,
) -> RedisResult<()> {
    for (name, reply) in replies {
        let reply = reply
            .extract_error()
            .map_err(|error| explained(name, error, prefix))?;
        if name != "EVALSHA" || reply == Value::Nil {
            continue;
        }
        let (command, error): (String, String) = from_redis_value(reply)?;
        return Err(explained(&command, of_script(&error), prefix));
    }
    Ok(())
}

/// Turn an error from inside a script into the error that the server would give for the command
/// itself.
fn of_script(error: &str) -> RedisError {
    // Redis 6 puts the position in the script first, and begins the command's own error with a `-`.
    let own = error
        .rsplit_once("@user_script: ")
        .map_or(error, |(_, own)| {
            own.split_once(": ").map_or(own, |(_, own)| own)
        });
    let own = own.trim_start_matches('-').replace(['\r', '\n'], " ");
    let code_is_there = own
        .split(' ')
        .next()
        .is_some_and(|code| code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
    let line = match code_is_there {
        true => format!("-{own}\r\n"),
        false => format!("-ERR {own}\r\n"),
    };
    redis::parse_redis_value(line.as_bytes())
        .and_then(Value::extract_error)
        .err()
        .unwrap_or_else(|| (ErrorKind::Client, "a command failed in a script", own).into())
}

/// Add what to do about a command that is refused.
fn explained(command: &str, error: RedisError, prefix: &str) -> RedisError {
    let lower = command.to_lowercase();
    let text = match refused(&error) {
        Some(Refused::Unknown) => format!(
            "the server lacks the command {command}, which the cache needs; remove `rename-command \
             {command}` from its configuration, or use a server that has the command (see docs/operations/redis.md#permissions)"
        ),
        Some(Refused::Forbidden) => format!(
            "this user may not run {command}, which the cache needs; allow it with `ACL SETUSER <user> +{lower}` (see \
             docs/operations/redis.md#permissions)"
        ),
        Some(Refused::Keys) => format!(
            "this user may not read and write the cache's keys; allow them with `ACL SETUSER <user> ~{prefix}:* ~{prefix}#*` \
             (see docs/operations/redis.md#permissions)"
        ),
        None if matches!(error_code(&error), Some("MOVED" | "ASK" | "CROSSSLOT")) => {
            return is_of_a_cluster();
        }
        None => return error,
    };
    (ErrorKind::Client, "refused", text).into()
}

/// Error for a cluster's node. The keys of one script are on different nodes there, and most keys
/// aren't on this one.
fn is_of_a_cluster() -> RedisError {
    let text = "the server is a cluster node, which `redis` can't use; give its URL to `redis_cluster` instead";
    (
        ErrorKind::Client,
        "the wrong kind of server",
        text.to_owned(),
    )
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_script_is_that_of_its_command_in_every_version() {
        for text in [
            "OOM command not allowed when used memory > 'maxmemory'.",
            "-OOM command not allowed when used memory > 'maxmemory'.",
            "@user_script: 4: -OOM command not allowed when used memory > 'maxmemory'.",
        ] {
            assert_eq!(error_code(&of_script(text)), Some("OOM"), "{text}");
        }
        for text in [
            "ERR Unknown Redis command called from script script: 9d63, on @user_script:4.",
            "@user_script: 4: Unknown Redis command called from Lua script",
        ] {
            assert_eq!(refused(&of_script(text)), Some(Refused::Unknown), "{text}");
        }
        for text in [
            "@user_script: 4: The user executing the script can't run this command or subcommand",
            "NOPERM this user has no permissions to run the 'zadd' command",
        ] {
            assert_eq!(
                refused(&of_script(text)),
                Some(Refused::Forbidden),
                "{text}"
            );
        }
    }
}
