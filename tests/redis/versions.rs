//! What the cache sends is as old as the documentation says.

use std::collections::HashMap;

use redis::{Connection, Value};
use tests::RedisServer;

use crate::everything::Pair;

/// The oldest server that is supported.
const BASE: (u32, u32) = (6, 2);

/// The commands that the server has seen, by scripts too, with their subcommands: `get`, `script|load`.
fn seen(redis: &mut Connection) -> Vec<String> {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).unwrap();
    stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_"))
        .filter_map(|line| line.split(':').next())
        .map(str::to_owned)
        .collect()
}

/// Since when the server knows the command, as it says itself.
fn since(redis: &mut Connection, command: &str) -> String {
    let name = command.split('|').next().unwrap();
    let mut docs: HashMap<String, HashMap<String, Value>> = redis::cmd("COMMAND")
        .arg("DOCS")
        .arg(name)
        .query(redis)
        .unwrap();
    let mut docs = docs.remove(name).expect("it knows what it has run");
    if command != name {
        let subcommands = docs.remove("subcommands").expect("it has some");
        let mut subcommands: HashMap<String, HashMap<String, Value>> =
            redis::from_redis_value(subcommands).unwrap();
        docs = subcommands.remove(command).expect("it knows this one");
    }
    redis::from_redis_value(docs.remove("since").expect("it says so")).unwrap()
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
    for (what, done) in pair.does_everything(&server).await {
        done.unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    pair.is_swept(&server).await;
    pair.comes_through_an_outage(&server).await;
    // An older server has done all of it, and can't be asked.
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
        assert!(version(&since) <= BASE, "{command} is of {since}");
        newest = newest.max(version(&since));
    }
    assert_eq!(
        newest, BASE,
        "the documentation asks for more than is needed"
    );
}
