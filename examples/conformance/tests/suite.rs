//! The public test suite of HTTP caches, where `CACHE_TESTS` names a checkout of it.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Start a program, and return it with the first line that it prints.
fn start(command: &mut Command) -> (Running, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("it is piped");
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it prints a line");
    (running, line.trim().to_owned())
}

fn node(suite: &str, script: &str) -> Command {
    let mut node = Command::new("node");
    node.current_dir(suite).arg("--no-warnings").arg(script);
    for name in ["id", "base"] {
        node.env(format!("npm_config_{name}"), "");
        node.env(format!("npm_package_config_{name}"), "");
    }
    node
}

/// The cases for servers, and which of them have passed: `required age-parse-dup true`.
const LIST: &str = "
    import { readFileSync } from 'fs'
    const tests = (await import(`${process.cwd()}/tests/index.mjs`)).default
    const results = JSON.parse(readFileSync(0))
    for (const suite of tests) for (const test of suite.tests) {
        if (test.browser_only || test.kind === 'check') continue
        console.log(test.kind ?? 'required', test.id, results[test.id] === true)
    }
";

#[test]
fn the_cases_of_the_public_suite_pass_as_expected() {
    let Ok(suite) = std::env::var("CACHE_TESTS") else {
        println!("not run: CACHE_TESTS names no checkout of http-tests/cache-tests");
        return;
    };
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = port.local_addr().expect("an address").port();
    let mut server = node(&suite, "test-engine/server/server.mjs");
    let pid = std::env::temp_dir().join(format!("cache-tests-{port}.pid"));
    server
        .env("npm_config_port", port.to_string())
        .env("npm_config_protocol", "http");
    let (_origin, _) = start(server.env("npm_config_pidfile", &pid));
    let mut proxy = Command::new(env!("CARGO_BIN_EXE_conformance"));
    let (_proxy, url) = start(proxy.arg(format!("http://127.0.0.1:{port}")));

    let run = || {
        let mut client = node(&suite, "test-engine/cli.mjs");
        let output = client
            .env("npm_config_base", &url)
            .output()
            .expect("the client runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    };
    // The layer learns which fields the responses vary by.
    run();
    let results = std::env::temp_dir().join(format!("cache-tests-{port}.json"));
    std::fs::write(&results, run()).expect("a writable folder");
    let mut list = Command::new("node");
    list.current_dir(&suite)
        .args(["--no-warnings", "--input-type=module", "-e", LIST]);
    let file = std::fs::File::open(&results).expect("it was written");
    let listed = list.stdin(file).output().expect("node runs");
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).expect("names are ASCII");
    let failed: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(" false"))
        .collect();

    let passed = |kind: &str| {
        let all = listed.lines().filter(|line| line.starts_with(kind));
        let passed = all.clone().filter(|line| line.ends_with(" true"));
        format!("{} of {}", passed.count(), all.count())
    };
    println!(
        "required: {}; optimal: {}",
        passed("required"),
        passed("optimal")
    );
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected.txt");
    let expected = std::fs::read_to_string(expected).expect("the file is part of the package");
    let expected: BTreeSet<&str> = expected
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let unexpected: Vec<_> = failed.difference(&expected).collect();
    assert!(
        unexpected.is_empty(),
        "these passed before: {unexpected:#?}"
    );
    let mended: Vec<_> = expected.difference(&failed).collect();
    assert!(
        mended.is_empty(),
        "these pass now; remove them from `expected.txt`: {mended:#?}"
    );
}
