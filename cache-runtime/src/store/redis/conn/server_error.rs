//! Error codes of servers, in all versions.

use redis::RedisError;

/// Return the code of an error, for example `OOM`. For a script that failed, return the code of the
/// command that failed in it.
///
/// Redis 7 and Valkey answer a script with the command's own code. Redis 6 wraps it, so that the
/// error of a server that is full or read-only reads like a fault of the script: `ERR Error running
/// script (call to f_..): @user_script:4: @user_script: 4: -READONLY ..`.
pub(crate) fn error_code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    let wrapped = error
        .detail()
        .filter(|_| code == "ERR")
        .and_then(|detail| detail.strip_prefix("Error running script "))
        .and_then(|detail| detail.split_once(": -"))
        .and_then(|(_, inner)| inner.split_whitespace().next());
    Some(wrapped.unwrap_or(code))
}

/// Reason why a server never runs a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Refused {
    /// The server doesn't know the command: it is too old, or `rename-command` removed it.
    Unknown,
    /// This user may not run the command.
    Forbidden,
    /// This user may not access the keys.
    Keys,
}

/// Return why the server refuses the command, or a command in a script, if it would refuse it each
/// time.
pub(crate) fn refused(error: &RedisError) -> Option<Refused> {
    let detail = error.detail().unwrap_or_default().to_ascii_lowercase();
    let says = |part: &str| detail.contains(part);
    match error_code(error)? {
        "NOPERM" if says("key") && !says("command") => Some(Refused::Keys),
        "NOPERM" => Some(Refused::Forbidden),
        "ERR" if says("can't access") => Some(Refused::Keys),
        "ERR" if says("can't run this command") => Some(Refused::Forbidden),
        "ERR" if says("unknown command") || says("unknown subcommand") => Some(Refused::Unknown),
        "ERR" if says("unknown redis command") => Some(Refused::Unknown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parse an error reply as it is sent over the wire, and return its code.
    fn code(reply: &str) -> String {
        let value = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes());
        let error = value
            .and_then(redis::Value::extract_error)
            .expect_err("an error");
        error_code(&error).expect("a server's error").to_owned()
    }

    /// The texts are those of 6.2.16, 7.0.15 and Valkey 8.0.1.
    #[test]
    fn an_error_inside_a_script_has_the_code_of_its_command_in_every_version() {
        let in_6 = "ERR Error running script (call to f_9d63): @user_script:1: @user_script: 1: -";
        let in_7 = "script: 9d63, on @user_script:1.";
        for (code_of_it, text) in [
            ("OOM", "command not allowed when used memory > 'maxmemory'."),
            ("READONLY", "You can't write against a read only replica."),
            ("NOREPLICAS", "Not enough good replicas to write."),
            (
                "MISCONF",
                "Redis is configured to save RDB snapshots: it can't -- now",
            ),
        ] {
            assert_eq!(code(&format!("{in_6}{code_of_it} {text}")), code_of_it);
            assert_eq!(code(&format!("{code_of_it} {text} {in_7}")), code_of_it);
            assert_eq!(code(&format!("{code_of_it} {text}")), code_of_it);
        }
    }

    #[test]
    fn faults_of_the_script_or_the_key_are_not_outages() {
        let in_6 = "ERR Error running script (call to f_9d63): @user_script:1: ";
        for text in [
            "@user_script: 1: The user executing the script can't run this command or subcommand",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "user_script:1: attempt to index a nil value - OOM",
        ] {
            assert_eq!(code(&format!("{in_6}{text}")), "ERR");
        }
        assert_eq!(code("ERR value is not an integer: -OOM"), "ERR");
        assert_eq!(code("WRONGTYPE Operation against a key"), "WRONGTYPE");
        assert_eq!(code("NOSCRIPT No matching script"), "NOSCRIPT");
    }
}
