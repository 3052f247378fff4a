//! A Redis Cluster of the test's own.

mod moves;

use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue, Value};

use crate::RedisServer;

const SLOTS: u16 = 16_384;
/// The number of masters that start with slots.
const WITH_SLOTS: u16 = 3;

/// A test's own cluster of three masters, with or without a replica for each. Dropping it kills all
/// of them.
#[derive(Debug)]
pub struct RedisCluster {
    masters: Vec<RedisServer>,
    replicas: Vec<RedisServer>,
}

impl RedisCluster {
    /// Start three masters and wait until each of them reports a healthy cluster.
    pub fn start() -> Self {
        // There is no replica to take over, so a long timeout does no harm: it keeps a busy
        // machine's nodes from being suspected.
        Self::form(3, 0, "30000")
    }

    /// Start a cluster with a fourth master that has no slots yet.
    pub fn start_with_newcomer() -> Self {
        Self::form(4, 0, "30000")
    }

    /// Start a cluster with a replica for each master, which takes over a few seconds after its
    /// master dies.
    pub fn start_with_replicas() -> Self {
        Self::form(3, 3, "3000")
    }

    fn form(masters: usize, replicas: usize, node_timeout: &str) -> Self {
        let start = || {
            RedisServer::start_with(&[
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                node_timeout,
                // A replica that was cut off takes over, too.
                "--cluster-replica-validity-factor",
                "0",
                "--repl-diskless-sync-delay",
                "0",
            ])
        };
        let cluster = Self {
            masters: (0..masters).map(|_| start()).collect(),
            replicas: (0..replicas).map(|_| start()).collect(),
        };
        cluster.share_the_slots();
        cluster.meet();
        for (master, replica) in cluster.masters.iter().zip(&cluster.replicas) {
            let id = ask::<String>(&mut master.connect(), "CLUSTER MYID");
            patiently("the replica knows its master", || {
                let follow = format!("CLUSTER REPLICATE {id}");
                try_ask::<Value>(&mut replica.connect(), &follow).is_ok()
            });
        }
        cluster.is_well();
        cluster
    }

    fn share_the_slots(&self) {
        let share = SLOTS / WITH_SLOTS;
        for (number, master) in (0..).zip(&self.masters) {
            let first = number * share;
            let last = match number + 1 == WITH_SLOTS {
                true => SLOTS - 1,
                false => first + share - 1,
            };
            let mut redis = master.connect();
            if number < WITH_SLOTS {
                ask::<Value>(&mut redis, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            }
            ask::<Value>(
                &mut redis,
                &format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1),
            );
        }
    }

    fn meet(&self) {
        let mut first = self.masters[0].connect();
        for node in self.nodes().skip(1) {
            ask::<Value>(
                &mut first,
                &format!("CLUSTER MEET 127.0.0.1 {}", node.port()),
            );
        }
        let all = format!("cluster_known_nodes:{}\r", self.nodes().count());
        for node in self.nodes() {
            patiently("all know each other", || {
                ask::<String>(&mut node.connect(), "CLUSTER INFO").contains(&all)
            });
        }
    }

    /// Wait until every node reports a healthy cluster, and every replica has its master's data.
    fn is_well(&self) {
        let followed = self.replicas.len();
        for node in self.nodes() {
            patiently("the cluster is well", || {
                let mut redis = node.connect();
                let state: String = ask(&mut redis, "CLUSTER INFO");
                let nodes: String = ask(&mut redis, "CLUSTER NODES");
                let replicas = nodes.lines().filter(|line| line.contains("slave")).count();
                state.contains("cluster_state:ok") && replicas == followed
            });
        }
        for replica in &self.replicas {
            patiently("the replica follows", || {
                ask::<String>(&mut replica.connect(), "INFO replication")
                    .contains("master_link_status:up")
            });
        }
    }

    /// All nodes: the masters, then the replicas in their order.
    pub fn nodes(&self) -> impl Iterator<Item = &RedisServer> {
        self.masters.iter().chain(&self.replicas)
    }

    /// The URL of each node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes().map(RedisServer::url).collect()
    }

    /// The nodes that started as masters.
    pub fn masters(&self) -> &[RedisServer] {
        &self.masters
    }

    /// A node that started as a master, mutable so that it can be killed.
    pub fn master_mut(&mut self, number: usize) -> &mut RedisServer {
        &mut self.masters[number]
    }

    /// The replica of a master.
    pub fn replica(&self, number: usize) -> &RedisServer {
        &self.replicas[number]
    }

    /// The slot of a key, as a server computes it.
    pub fn slot(&self, key: &str) -> u16 {
        let mut ask = redis::cmd("CLUSTER");
        ask.arg("KEYSLOT").arg(key);
        ask.query(&mut self.masters[0].connect())
            .expect("a server answers")
    }

    /// The index of the original master that owns the slot, according to that master.
    pub fn owner(&self, slot: u16) -> usize {
        let holds = |node: &RedisServer| {
            let nodes: String = ask(&mut node.connect(), "CLUSTER NODES");
            let own = nodes.lines().find(|line| line.contains("myself"));
            let held = own.into_iter().flat_map(|line| line.split(' ').skip(8));
            held.filter(|range| !range.starts_with('[')).any(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let number = |text: &str| text.trim().parse::<u16>().expect("a slot");
                (number(first)..=number(last)).contains(&slot)
            })
        };
        self.masters
            .iter()
            .position(holds)
            .expect("somebody has the slot")
    }

    /// Connect to the master that owns a key's slot.
    pub fn connect_for(&self, key: &str) -> Connection {
        self.masters[self.owner(self.slot(key))].connect()
    }

    /// All keys of all masters that match the pattern.
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let of = |node: &RedisServer| -> Vec<String> {
            redis::cmd("KEYS")
                .arg(pattern)
                .query(&mut node.connect())
                .expect("a server answers")
        };
        self.masters.iter().flat_map(of).collect()
    }

    /// Cut a replica off from its master: it never receives the commands that the master executes
    /// from now on. It stays stopped until it is sent `CONT`.
    pub fn cut_off_replica(&self, number: usize) {
        let mut master = self.masters[number].connect();
        let _: Value = redis::cmd("WAIT")
            .arg(1)
            .arg(20_000)
            .query(&mut master)
            .expect("the replica follows");
        self.replicas[number].signal("STOP");
        // Close the connection: the replica would still read what is in its socket.
        ask::<Value>(&mut master, "CLIENT KILL TYPE replica");
    }
}

/// Send a command given as words separated by spaces.
fn try_ask<T: FromRedisValue>(redis: &mut Connection, words: &str) -> redis::RedisResult<T> {
    let mut words = words.split(' ');
    let mut cmd = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        cmd.arg(word);
    });
    cmd.query(redis)
}

fn ask<T: FromRedisValue>(redis: &mut Connection, words: &str) -> T {
    try_ask(redis, words).unwrap_or_else(|error| panic!("{words}: {error}"))
}

fn patiently(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
