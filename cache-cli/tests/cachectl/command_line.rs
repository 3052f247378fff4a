//! The command line: exit codes, and no credential in any output.

use tests::RedisServer;

use crate::program::{assert_snapshot, bare, cachectl};

#[test]
fn mistakes_on_the_command_line_have_exit_code_2() {
    for args in [
        &[][..],
        &["lst"],
        &["clear"],
        &["clear", "--all", "--pattern", "*"],
        &["get"],
        &["ls", "--sort", "name"],
        // No target.
        &["ls"],
        &["--redis-url", "http://host", "ls"],
        &["--redis-url", "redis://host", "--prefix", "a b", "ls"],
    ] {
        let run = bare(args);
        assert_eq!((run.code, &run.out[..]), (2, ""), "{args:?}: {}", run.err);
        assert!(!run.err.is_empty());
    }
}

#[test]
fn help_is_no_error() {
    let help = bare(&["--help"]);
    assert_eq!((help.code, &help.err[..]), (0, ""));
    // `top` is there with the feature of that name.
    let lines = help.out.lines().filter(|line| !line.starts_with("  top "));
    assert_snapshot("help", &lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_program_without_warmers_says_where_they_are() {
    let server = RedisServer::start();
    let shown = cachectl(&server, &["warm", "popular"]);
    assert_eq!(shown.code, 2, "{}", shown.err);
    assert!(shown.err.contains("`--app`"), "{}", shown.err);
}

#[test]
fn no_output_holds_a_password() {
    let mut server = RedisServer::start_with(&["--requirepass", "hush-hush"]);
    let wrong = format!("redis://:hush-wrong@127.0.0.1:{}", server.port());
    let right = format!("redis://:hush-hush@127.0.0.1:{}", server.port());
    let runs = |url: &str| {
        let mut runs = vec![
            bare(&[url]),
            bare(&["get", "key", url]),
            bare(&["ls", "--sort", url]),
        ];
        for command in [
            &["ls"][..],
            &["doctor"],
            &["stats"],
            &["doctor", "--json"],
            &["ls", "--json"],
        ] {
            runs.push(bare(&[command, &["--redis-url", url]].concat()));
            runs.push(bare(
                &[command, &["--redis-sentinel", url, "--timeout", "1"]].concat(),
            ));
        }
        runs
    };
    let mut all = runs(&wrong);
    all.extend(runs(&right));
    server.kill();
    all.extend(runs(&right));
    all.extend(runs("redis://:hush@@@not a host:x"));
    for run in all {
        let shown = run.out + &run.err;
        assert!(!shown.contains("hush"), "{shown}");
    }
}

#[test]
fn a_wrong_password_is_a_failure_that_is_named() {
    let server = RedisServer::start_with(&["--requirepass", "secret"]);
    let run = cachectl(&server, &["ls"]);
    assert_eq!(run.code, 1);
    assert!(run.err.to_lowercase().contains("auth"), "{}", run.err);
}

#[test]
fn completions_are_printed_without_a_target() {
    let run = bare(&["completions", "bash"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("_cachectl()") && run.out.contains("--dry-run"));
}

#[test]
fn the_bare_program_has_no_topology_and_says_so() {
    let run = bare(&["topology"]);
    assert_eq!((run.code, &run.out[..]), (1, ""));
    assert!(run.err.contains("cache_cli::Args"), "{}", run.err);
}
