//! State of the whole process: the environment, and the installed cache. Tests of one binary share
//! a process, so each test here starts the binary again to run itself alone. A separate program
//! would keep each test in two files.

use std::process::Command;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, CacheError, cacheable, invalidate};
use tests::{RedisServer, events_of, until_blocking};
use tracing::Level;

use crate::common::{Runs, assert_about};

const CHILD: &str = "CACHE_TEST_IS_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Run a test of this module in a child process with these variables. Return its output.
#[track_caller]
fn rerun(test: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        &format!("handle::environment::{test}"),
        "--exact",
        "--nocapture",
    ]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CACHE_")) {
        command.env_remove(name);
    }
    command
        .env_remove("REDIS_URL")
        .env(CHILD, "1")
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{variables:?}: {said}{complained}"
    );
    said
}

#[cacheable(key = "current:<<id>>", skip(runs))]
fn count(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "preset:<<id>>", ttl = preset("user_profile"))]
fn with_preset(id: u32) -> u32 {
    id
}

#[test]
fn the_environment_configures_the_current_cache() {
    let name = "the_environment_configures_the_current_cache";
    if !is_child() {
        let server = RedisServer::start();
        let url = server.url();
        let variables = [
            ("REDIS_URL", &url[..]),
            ("CACHE_KEY_PREFIX", "of-env"),
            ("CACHE_DEFAULT_TIMEOUT", "42"),
            ("CACHE_TIMEOUT_USER_PROFILE", "7"),
            ("CACHE_ENABLED", "true"),
        ];
        rerun(name, &variables);
        let stored: Vec<String> = redis::cmd("KEYS")
            .arg("*:*:*")
            .query(&mut server.connect())
            .unwrap();
        assert_eq!(stored.len(), 2, "{stored:?}");
        return;
    }
    // The timeout is the default one, which a busy machine may exceed at first.
    until_blocking("the health check passes", || {
        Cache::current().blocking().health_check().is_ok()
    });
    let runs = Runs::default();
    assert_eq!(
        (count(1, &runs), count(1, &runs), with_preset(1)),
        (1, 1, 1)
    );
    let cache = Cache::current().blocking();
    assert_about(cache.ttl("current:1").unwrap(), 42);
    assert_about(cache.ttl("preset:1").unwrap(), 7);
    assert_eq!(Cache::current().prefix(), "of-env");
    assert_eq!(cache.health_check().unwrap().store, "redis");
    // The variable overrides the builder.
    let built = Cache::builder()
        .preset("user_profile", Duration::from_secs(77))
        .build()
        .unwrap();
    built.scope_sync(|| with_preset(1));
    assert_about(built.blocking().ttl("preset:1").unwrap(), 7);
}

#[test]
fn an_empty_environment_gives_a_memory_cache_with_defaults() {
    if !is_child() {
        rerun(
            "an_empty_environment_gives_a_memory_cache_with_defaults",
            &[("CACHE_KEY_PREFIX", "")],
        );
        return;
    }
    let runs = Runs::default();
    assert_eq!((count(1, &runs), count(1, &runs)), (1, 1));
    let cache = Cache::current();
    assert_eq!(cache.prefix(), "cache");
    assert_about(cache.blocking().ttl("current:1").unwrap(), 300);
    assert_eq!(cache.blocking().health_check().unwrap().store, "memory");
}

#[test]
fn the_environment_can_disable_the_cache() {
    if !is_child() {
        rerun(
            "the_environment_can_disable_the_cache",
            &[("CACHE_ENABLED", "false")],
        );
        return;
    }
    let runs = Runs::default();
    assert_eq!((count(1, &runs), count(1, &runs)), (1, 2));
}

const EVERY_OPTION: [(&str, &str); 13] = [
    ("CACHE_MEMORY_CAPACITY", "1MiB"),
    ("CACHE_MAX_VALUE_BYTES", "2 KiB"),
    ("CACHE_CODEC", "MessagePack"),
    ("CACHE_COMPRESS_OVER", "1024"),
    ("CACHE_NEAR_BYTES", "32MiB"),
    ("CACHE_NEAR_MAX_SILENCE", "300ms"),
    ("CACHE_RESPONSE_TIMEOUT", "5s"),
    ("CACHE_INVALIDATION_TIMEOUT", "1m"),
    ("CACHE_WAIT_TIMEOUT", "1h"),
    ("CACHE_LEASE_TTL", "7s"),
    ("CACHE_REPLAY_WINDOW", "20s"),
    ("CACHE_RUNTIME_CONNECTIONS", "off"),
    ("CACHE_PUBLISH_STATS", "no"),
];

#[test]
fn each_option_of_the_builder_has_a_variable_that_code_overrides() {
    let test = "each_option_of_the_builder_has_a_variable_that_code_overrides";
    if !is_child() {
        rerun(test, &EVERY_OPTION);
        return;
    }
    let read = format!("{:?}", CacheBuilder::from_env().unwrap());
    for part in [
        "memory_capacity: 1048576",
        "max_value_bytes: Some(2048)",
        "codec: MessagePack",
        "compress_over: Some(1024)",
        "near_cache: Some(33554432)",
        "near_max_silence: 300ms",
        "response_timeout: 5s",
        "invalidation_timeout: 60s",
        "wait_timeout: 3600s",
        "lease_ttl: 7s",
        "replay_window: 20s",
        "runtime_connections: false",
        "publish_stats: false",
    ] {
        assert!(read.contains(part), "{part}: {read}");
    }
    let cache = Cache::from_env().unwrap().blocking();
    let error = cache.set("long", &"x".repeat(3_000), 60).unwrap_err();
    assert!(
        matches!(error, CacheError::TooLarge { limit: 2_048, .. }),
        "{error}"
    );
    let builder = CacheBuilder::from_env().unwrap().max_value_bytes(10_000);
    let cache = builder.build().unwrap().blocking();
    cache.set("long", &"x".repeat(3_000), 60).unwrap();
    // Without `from_env`, they count for nothing.
    let cache = Cache::builder().build().unwrap().blocking();
    cache.set("long", &"x".repeat(3_000), 60).unwrap();
}

#[test]
fn a_near_cache_from_the_environment_answers() {
    if !is_child() {
        let server = RedisServer::start();
        let url = server.url();
        let variables = [
            ("REDIS_URL", &url[..]),
            ("CACHE_NEAR_BYTES", "1MiB"),
            ("CACHE_RESPONSE_TIMEOUT", "10s"),
        ];
        rerun("a_near_cache_from_the_environment_answers", &variables);
        return;
    }
    let runs = Runs::default();
    // The near cache is used once Redis tracks for it.
    while Cache::current().stats().entries == 0 {
        count(1, &runs);
    }
    assert_eq!(runs.count(), 1);
}

#[test]
fn two_variables_for_one_preset_are_an_error() {
    let test = "two_variables_for_one_preset_are_an_error";
    if !is_child() {
        let variables = [
            ("CACHE_TIMEOUT_USER_PROFILE", "7"),
            ("CACHE_TIMEOUT_User_Profile", "8"),
        ];
        rerun(test, &variables);
        return;
    }
    let error = Cache::builder().build().unwrap_err();
    assert!(
        matches!(error, CacheError::InvalidVariable { .. }),
        "{error}"
    );
    let said = error.to_string();
    assert!(
        said.contains("USER_PROFILE") && said.contains("User_Profile"),
        "{said}"
    );
}

#[test]
fn a_malformed_variable_is_named_in_the_error_and_calls_run_uncached() {
    if !is_child() {
        for (variable, value) in [
            ("REDIS_URL", "http://user:hunter2@host"),
            ("CACHE_ENABLED", "perhaps"),
            ("CACHE_DEFAULT_TIMEOUT", "-1"),
            ("CACHE_DEFAULT_TIMEOUT", "0"),
            ("CACHE_DEFAULT_TIMEOUT", "10m"),
            ("CACHE_TIMEOUT_USER_PROFILE", "soon"),
            ("CACHE_KEY_PREFIX", "a:b"),
            ("CACHE_MEMORY_CAPACITY", "64MB"),
            ("CACHE_MEMORY_CAPACITY", "99999999999GiB"),
            ("CACHE_MAX_VALUE_BYTES", "0"),
            ("CACHE_CODEC", "json"),
            ("CACHE_COMPRESS_OVER", "-1"),
            ("CACHE_NEAR_BYTES", "lots"),
            ("CACHE_NEAR_MAX_SILENCE", "0s"),
            ("CACHE_RESPONSE_TIMEOUT", "250"),
            ("CACHE_RESPONSE_TIMEOUT", "0ms"),
            ("CACHE_INVALIDATION_TIMEOUT", "two seconds"),
            ("CACHE_WAIT_TIMEOUT", "s"),
            ("CACHE_LEASE_TTL", "0s"),
            ("CACHE_REPLAY_WINDOW", "1.5s"),
            ("CACHE_RUNTIME_CONNECTIONS", "2"),
            ("CACHE_PUBLISH_STATS", "never"),
        ] {
            let test = "a_malformed_variable_is_named_in_the_error_and_calls_run_uncached";
            let said = rerun(test, &[(variable, value)]);
            assert!(said.contains(variable), "{variable}: {said}");
            assert!(
                variable == "REDIS_URL"
                    || said.contains(&format!("is {value:?}"))
                    || said.contains("is zero"),
                "{variable}: {said}"
            );
            assert!(
                said.contains("; use") || said.contains(": use") || variable == "REDIS_URL",
                "{variable}: {said}"
            );
            assert!(!said.contains("hunter2"), "{said}");
        }
        return;
    }
    let error = Cache::from_env().unwrap_err();
    println!("error: {error}");
    let runs = Runs::default();
    let events = events_of(Level::ERROR, || {
        assert_eq!((count(1, &runs), count(1, &runs)), (1, 2));
    });
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].level == "ERROR" && events[0].message.contains(&error.to_string()),
        "{events:?}"
    );
}

#[test]
fn a_second_install_fails() {
    if !is_child() {
        rerun("a_second_install_fails", &[]);
        return;
    }
    let named = |prefix: &str| Cache::builder().prefix(prefix).build().unwrap();
    named("first").install().unwrap();
    let line = line!() - 1;
    let error = named("second").install().unwrap_err();
    assert!(matches!(error, CacheError::AlreadyInstalled));
    let said = error.to_string();
    assert!(
        said.contains(&format!("installed at {}:{line};", file!())),
        "{said}"
    );
    assert_eq!(Cache::current().prefix(), "first");
    // The cache is installed for the whole process, not for one thread.
    std::thread::spawn(|| assert_eq!(Cache::current().prefix(), "first"))
        .join()
        .unwrap();
    named("scoped").scope_sync(|| assert_eq!(Cache::current().prefix(), "scoped"));
}

#[test]
fn install_fails_after_the_first_use() {
    if !is_child() {
        rerun("install_fails_after_the_first_use", &[]);
        return;
    }
    count(1, &Runs::default());
    let said = late_install();
    assert!(said.contains("call of `count`"), "{said}");
    assert!(said.contains(&format!("({}:", file!())), "{said}");
    assert!(said.contains("call `install` before"), "{said}");
}

/// Returns the error of an `install` that comes too late.
fn late_install() -> String {
    let error = Cache::builder().build().unwrap().install().unwrap_err();
    assert!(matches!(error, CacheError::AlreadyInstalled), "{error}");
    error.to_string()
}

#[invalidate(patterns = ["current:<<id>>"])]
async fn forget(id: u32) {}

#[test]
fn a_late_install_names_a_write_that_came_before() {
    if !is_child() {
        rerun("a_late_install_names_a_write_that_came_before", &[]);
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(forget(1));
    let said = late_install();
    assert!(said.contains("call of `forget`"), "{said}");
}

#[test]
fn a_late_install_names_a_call_of_current_that_came_before() {
    if !is_child() {
        rerun(
            "a_late_install_names_a_call_of_current_that_came_before",
            &[],
        );
        return;
    }
    Cache::current();
    let line = line!() - 1;
    let said = late_install();
    let call = format!("call of `Cache::current` ({}:{line})", file!());
    assert!(said.contains(&call), "{said}");
}
