//! Running `cachectl`, and comparing what it prints.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use cache_runtime::{Cache, CacheBuilder};
use serde_json::Value;
use tests::{PATIENCE, RedisServer};

pub(crate) const PREFIX: &str = "quickpost";

/// Return a cache of the service whose entries the program shows.
pub(crate) fn service(
    server: &RedisServer,
    configure: impl Fn(CacheBuilder) -> CacheBuilder,
) -> Cache {
    let builder = Cache::builder()
        .redis(server.url())
        .prefix(PREFIX)
        .response_timeout(PATIENCE);
    configure(builder).build().expect("it builds")
}

/// Output of one run of the program.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().expect("it isn't killed"),
            out: text(&output.stdout),
            err: text(&output.stderr),
            bytes: output.stdout,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Run the program without a target in its environment.
pub(crate) fn bare(args: &[&str]) -> Run {
    bare_with(None, args)
}

/// Run the program without a target, with this variable in its environment.
pub(crate) fn bare_with(variable: Option<(&str, &str)>, args: &[&str]) -> Run {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cachectl"));
    for variable in [
        "CACHE_ADMIN_TOKEN",
        "CACHE_KEY_PREFIX",
        "CACHE_MASTER_PASSWORD",
        "REDIS_URL",
    ] {
        program.env_remove(variable);
    }
    program.envs(variable);
    program.args(args).stdin(Stdio::null());
    Run::of(program.output().expect("it starts"))
}

/// Run the program on this server.
pub(crate) fn cachectl(server: &RedisServer, args: &[&str]) -> Run {
    let url = server.url();
    let target = ["--redis-url", &url, "--prefix", PREFIX, "--timeout", "20"];
    bare(&[args, &target].concat())
}

/// Compare a text with the snapshot of this name, with times and versions masked.
/// `UPDATE_SNAPSHOTS=1` writes it.
#[track_caller]
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let shown = masked(text);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &shown).expect("the snapshot is written");
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        shown,
        expected,
        "{} differs; UPDATE_SNAPSHOTS=1 rewrites it",
        file.display()
    );
}

/// Replace times and versions, and the widths of columns, which depend on them.
fn masked(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        let words = line.trim_start();
        shown.push_str(&line[..line.len() - words.len()]);
        let mut last = "";
        let mut masked = Vec::new();
        for word in words.split_whitespace() {
            let word = match word {
                word if is_time(word) => "<time>",
                word if is_version(word) => "<version>",
                word => word,
            };
            if word != "<time>" || last != "<time>" {
                masked.push(word);
            }
            last = word;
        }
        shown.push_str(&masked.join(" "));
        shown.push('\n');
    }
    shown
}

fn is_time(word: &str) -> bool {
    let word = word.trim_end_matches([',', ')']);
    let units = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    units.len() < word.len() && matches!(units, "us" | "ms" | "s" | "m" | "h" | "d")
}

fn is_version(word: &str) -> bool {
    word.matches('.').count() == 2 && word.split('.').all(|part| part.parse::<u32>().is_ok())
}
