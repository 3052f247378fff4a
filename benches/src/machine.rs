//! The machine that the figures were measured on, without its name or any path.

use serde::{Deserialize, Serialize};

/// A machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    pub cores: usize,
    pub processor: String,
    pub system: String,
    pub rust: String,
    pub redis: String,
}

impl Machine {
    pub fn this() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            system: std::env::consts::OS.to_owned(),
            rust: first_words("rustc", 2),
            redis: first_words("redis-server", 3),
        }
    }
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The first words that a program prints for `--version`.
fn first_words(program: &str, count: usize) -> String {
    let output = std::process::Command::new(program)
        .arg("--version")
        .output();
    let text = output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    text.split_whitespace()
        .take(count)
        .collect::<Vec<_>>()
        .join(" ")
}
