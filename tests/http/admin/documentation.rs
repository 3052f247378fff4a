//! The samples of `docs/operations/admin.md`, run with curl.

use std::process::Command;

use cache_http::{admin, bearer};
use cache_runtime::{Cache, Warmer};
use serde_json::Value;

use super::Api;

const PAGE: &str = include_str!("../../../docs/operations/admin.md");

/// A command and the answer that the page shows.
struct Sample {
    command: String,
    answer: Value,
}

/// Return each block of `sh` that a block of `json` follows.
fn samples() -> Vec<Sample> {
    let blocks: Vec<&str> = PAGE.split("```").skip(1).step_by(2).collect();
    let sample = |pair: &[&str]| {
        let command = pair[0].strip_prefix("sh\n")?.to_owned();
        let answer = serde_json::from_str(pair[1].strip_prefix("json\n")?).unwrap();
        Some(Sample { command, answer })
    };
    blocks.windows(2).filter_map(sample).collect()
}

/// Assert that an answer has the shape of the documented one: the same fields, and the same types.
/// Numbers and the texts within lists differ from machine to machine.
fn assert_shape(documented: &Value, answer: &Value, is_exact: bool, at: &str) {
    match (documented, answer) {
        (Value::Object(documented), Value::Object(answer)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(names(documented), names(answer), "at {at}");
            for (name, value) in documented {
                assert_shape(value, &answer[name], is_exact, &format!("{at}.{name}"));
            }
        }
        (Value::Array(documented), Value::Array(answer)) => {
            for value in documented {
                assert!(!answer.is_empty(), "no element at {at}");
                assert_shape(value, &answer[0], false, at);
            }
        }
        (Value::Number(documented), Value::Number(answer)) => {
            assert_eq!(documented.is_f64(), answer.is_f64(), "at {at}");
        }
        (Value::String(documented), Value::String(answer)) => {
            // A size ends with its unit.
            let is_size = at.ends_with("_human");
            assert!(
                documented == answer || !is_exact || is_size,
                "at {at}: {answer}"
            );
        }
        (documented, answer) => assert_eq!(documented, answer, "at {at}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_samples_of_the_page_answer_as_it_shows() {
    let cache = Cache::builder().build().unwrap();
    let popular = Warmer::new("popular", |_| async {});
    cache.add_warmer(popular).unwrap();
    let api = Api::serve(admin(&cache).access(bearer("token-of-the-page").unwrap())).await;
    let samples = samples();
    assert!(samples.len() >= 6, "{}", samples.len());
    for Sample { command, answer } in samples {
        cache
            .set_many([("posts:42", 1), ("posts:42:page", 2)], 60)
            .await
            .unwrap();
        let output = Command::new("sh")
            .args(["-ec", &command])
            .env("ADMIN", api.server.uri("/deep/admin/cache"))
            .env("CACHE_ADMIN_TOKEN", "token-of-the-page")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}{text}");
        let shown: Value = serde_json::from_str(&text).unwrap();
        assert_shape(&answer, &shown, true, &command);
    }
}
