//! Commands that the cache sends exist in the oldest supported server.

use std::collections::HashMap;

use redis::{Connection, Value};
use tests::RedisServer;

use crate::all_operations::Pair;

/// The oldest supported version.
const BASE: (u32, u32) = (6, 2);

/// Return the commands that the server has run, from clients and scripts, with their subcommands:
/// `get`, `script|load`.
fn seen(redis: &mut Connection) -> Vec<String> {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_"))
        .filter_map(|line| line.split(':').next())
        .map(str::to_owned)
        .collect()
}

/// Return the version that introduced the command, as the server documents it.
fn since(redis: &mut Connection, command: &str) -> String {
    let name = command.split('|').next().unwrap();
    let mut docs: HashMap<String, HashMap<String, Value>> = redis::cmd("COMMAND")
        .arg("DOCS")
        .arg(name)
        .query(redis)
        .unwrap();
    let mut docs = docs
        .remove(name)
        .expect("the server documents the commands that it has run");
    if command != name {
        let subcommands = docs
            .remove("subcommands")
            .expect("the command has subcommands");
        let mut subcommands: HashMap<String, HashMap<String, Value>> =
            redis::from_redis_value(subcommands).unwrap();
        docs = subcommands
            .remove(command)
            .expect("the subcommand is documented");
    }
    redis::from_redis_value(docs.remove("since").expect("the version is documented")).unwrap()
}

fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[tokio::test]
async fn every_command_sent_exists_in_redis_6_2() {
    let server = RedisServer::start();
    let mut redis = server.connect();
    let info: String = redis::cmd("INFO").arg("server").query(&mut redis).unwrap();
    let running = info
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
        .unwrap();
    redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .exec(&mut redis)
        .unwrap();
    let pair = Pair::at(&server.url(), "app");
    for (what, done) in pair.perform_all(&server).await {
        done.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    pair.until_swept(&server).await;
    pair.survive_outage(&server).await;
    // An older server ran all commands, and has no `COMMAND DOCS` to compare with.
    if version(running.trim()) < (7, 0) {
        return;
    }
    let seen = seen(&mut server.connect());
    for expected in ["get", "evalsha", "script|load", "zrandmember", "pexpire"] {
        assert!(seen.iter().any(|command| command == expected), "{seen:?}");
    }
    let mut newest = (0, 0);
    for command in seen {
        let since = since(&mut server.connect(), &command);
        assert!(
            version(&since) <= BASE,
            "{command} was introduced in {since}"
        );
        newest = newest.max(version(&since));
    }
    assert_eq!(
        newest, BASE,
        "the documentation requires a newer version than necessary"
    );
}
