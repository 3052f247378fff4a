//! Users of a Redis server, as the operations page documents them.

use std::collections::HashMap;

use redis::{Connection, Value};

use crate::RedisServer;

/// The documented `ACL SETUSER` commands of a page, word by word, with another name in place of
/// `quickpost`: that of the user, which is also the prefix.
pub fn documented_users(page: &str, user: &str) -> Vec<Vec<String>> {
    page.lines()
        .filter(|line| line.starts_with("ACL SETUSER "))
        .map(|line| {
            let line = line.replace("quickpost", user);
            line.split(' ').map(str::to_owned).collect()
        })
        .collect()
}

/// Run a command that is given as words.
pub fn run_words(words: &[String], connection: &mut Connection) {
    let mut request = redis::cmd(&words[0]);
    request.arg(&words[1..]);
    request.exec(connection).expect("the server runs it");
}

/// The commands and keys that the server has refused to this user.
pub fn refused_to(user: &str, server: &RedisServer) -> Vec<String> {
    let log: Vec<HashMap<String, Value>> = redis::cmd("ACL")
        .arg("LOG")
        .arg(10_000)
        .query(&mut server.connect())
        .expect("the server has a log");
    let field = |entry: &HashMap<String, Value>, name: &str| {
        redis::from_redis_value_ref::<String>(&entry[name]).expect("the field is text")
    };
    log.iter()
        .filter(|entry| field(entry, "username") == user)
        .map(|entry| field(entry, "object"))
        .collect()
}
