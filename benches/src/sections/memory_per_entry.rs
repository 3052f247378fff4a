use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::model::{LIFETIME, Post};
use crate::peers::{ours, plain_redis};
use crate::report::Table;
use crate::report::table::figure;
use crate::server::Server;
use crate::settings::Settings;

/// The contenders of the program `memory-per-entry`. The first is the values without a store.
pub const IN_MEMORY: [&str; 7] = [
    "values alone",
    "cache-runtime, with its index",
    "quick_cache",
    "quick_cache and BTreeMap",
    "moka",
    "cached, concurrent",
    "cached, concurrent, unbounded",
];

/// Return the slug of an entry.
pub fn slug(id: usize) -> String {
    format!("a-post-of-{id:07}")
}

pub(super) fn run(settings: Settings) -> Vec<Table> {
    let count = settings.of(100_000, 10_000);
    vec![in_memory(count), in_redis(count)]
}

/// Measure each contender in a process of its own, by a program that counts allocations: counting
/// slows every one of them.
fn in_memory(count: usize) -> Table {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let figure_of = |name: &str| {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let output = Command::new(&cargo)
            .args([
                "run",
                "--release",
                "--quiet",
                "--bin",
                "memory-per-entry",
                "--manifest-path",
            ])
            .arg(manifest)
            .args(["--", name, &count.to_string()])
            .output()
            .expect("cargo runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let mistake = || String::from_utf8_lossy(&output.stderr).into_owned();
        text.trim()
            .parse::<f64>()
            .unwrap_or_else(|_| panic!("{name}: {}", mistake()))
    };
    let values = figure_of(IN_MEMORY[0]);
    let title = format!(
        "Bytes per entry beyond its value, {} posts in memory",
        figure(count as f64)
    );
    let mut table = Table::new("memory-per-entry", &title, "bytes");
    for name in &IN_MEMORY[1..] {
        table.push(name, figure_of(name) - values, None);
    }
    table.relate("quick_cache");
    table
}

/// Measure by the server's `used_memory`.
fn in_redis(count: usize) -> Table {
    let by_hand = {
        let server = Server::start();
        used(&server, count, || {
            let mut connection = server.connect();
            for start in (0..count).step_by(1_000) {
                let mut batch = redis::pipe();
                for id in start..(start + 1_000).min(count) {
                    let post = plain_redis::encode(&Post::of(&slug(id)));
                    let set = batch
                        .cmd("SET")
                        .arg(format!("app:posts:{}", slug(id)))
                        .arg(post);
                    set.arg("EX").arg(LIFETIME).ignore();
                }
                batch
                    .query::<()>(&mut connection)
                    .expect("the server answers");
            }
        })
    };
    let server = Server::start();
    let cache = ours::redis(&server.url()).blocking();
    let in_all = used(&server, count, || {
        for start in (0..count).step_by(1_000) {
            let ids = start..(start + 1_000).min(count);
            let entries = ids.map(|id| (format!("posts:{}", slug(id)), Post::of(&slug(id))));
            let stored = cache.set_many(entries, Duration::from_secs(LIFETIME));
            stored.expect("the server answers");
        }
    });
    let index = index(&server) / count as f64;
    let title = format!(
        "Bytes per entry in Redis, {} posts of 1 KB",
        figure(count as f64)
    );
    let mut table = Table::new("memory-per-entry-redis", &title, "bytes, value included");
    table.push("SET by hand", by_hand, None);
    table.push("cache-runtime, entry and index", in_all, None);
    table.push("cache-runtime, index alone", index, None);
    table.relate("SET by hand");
    table
}

fn used(server: &Server, count: usize, fill: impl FnOnce()) -> f64 {
    let before = server.info("used_memory");
    fill();
    (server.info("used_memory") - before) as f64 / count as f64
}

/// Return the bytes of all index sets.
fn index(server: &Server) -> f64 {
    let mut connection = server.connect();
    let sets = redis::cmd("KEYS").arg("app#index:*").query(&mut connection);
    let sets: Vec<String> = sets.expect("the server answers");
    let usage = |set: &String| {
        let mut usage = redis::cmd("MEMORY");
        usage.arg("USAGE").arg(set).arg("SAMPLES").arg(0);
        usage
            .query::<u64>(&mut connection)
            .expect("the server answers") as f64
    };
    sets.iter().map(usage).sum()
}
