//! `preset("reports:<<kind>>")`: an argument selects the TTL.

use std::time::Duration;

use cache_runtime::{Cache, CacheError, cacheable, topology};
use tests::{events_of, on_both_stores_with};
use tracing::Level;

use crate::common::assert_about;

#[cacheable(key = "reports:<<kind>>:<<id>>", ttl = preset("reports:<<kind>>"))]
async fn report(kind: &str, id: u32) -> u32 {
    id
}

#[cacheable(key = "report-list:<<kind>>:<<id>>", each = ids, ttl = preset("reports:<<kind>>"))]
fn reports(kind: &str, ids: &[u32]) -> Vec<u32> {
    let _ = kind;
    ids.to_vec()
}

#[cacheable(key = "other:<<kind>>", ttl = preset("no-such-family:<<kind>>"), companions = false)]
fn other(kind: &str) -> u32 {
    u32::try_from(kind.len()).unwrap()
}

#[cacheable(key = "fixed-report:analytics", ttl = preset("reports:analytics"))]
fn analytics() -> u32 {
    1
}

#[cacheable(key = "fixed-report:new", ttl = preset("reports:new"))]
fn of_another_member() -> u32 {
    1
}

#[tokio::test]
async fn the_argument_selects_the_member_and_others_have_the_default() {
    let presets = [
        ("student_progress", 300),
        ("analytics", 1_800),
        ("default", 60),
    ];
    on_both_stores_with(
        move |builder| builder.presets("reports", presets),
        |cache| async move {
            let calls = async {
                for kind in ["student_progress", "Student-Progress", "analytics", "new"] {
                    report(kind, 1).await;
                }
                report_refresh("analytics", 2).await;
                reports("analytics", &[1, 2]);
                analytics();
                of_another_member();
            };
            cache.scope(calls).await;
            for (key, seconds) in [
                ("reports:student_progress:1", 300),
                ("reports:Student-Progress:1", 300),
                ("reports:analytics:1", 1_800),
                ("reports:new:1", 60),
                ("reports:analytics:2", 1_800),
                ("report-list:analytics:2", 1_800),
                ("fixed-report:analytics", 1_800),
                ("fixed-report:new", 60),
            ] {
                assert_about(cache.ttl(key).await.unwrap(), seconds);
            }
        },
    )
    .await;
}

#[test]
fn an_unconfigured_member_is_logged_once_and_has_the_default_ttl() {
    let cache = Cache::builder()
        .presets("reports", [("analytics", Duration::from_secs(9))])
        .default_ttl(Duration::from_secs(77))
        .build()
        .unwrap();
    let logged = events_of(Level::WARN, || {
        for kind in ["a", "b"] {
            cache.scope_sync(|| other(kind));
        }
    });
    let [warning] = logged.as_slice() else {
        panic!("one warning: {logged:?}");
    };
    for part in [
        "`no-such-family:a`",
        "77s",
        "CACHE_TIMEOUT_NO_SUCH_FAMILY_A",
        "`reports_analytics`",
    ] {
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
    assert_about(cache.blocking().ttl("other:b").unwrap(), 77);
}

#[test]
fn a_member_of_zero_and_two_names_of_one_member_are_errors() {
    for presets in [vec![("a", 0)], vec![("a-b", 1), ("a_b", 2)]] {
        let built = Cache::builder().presets("reports", presets).build();
        let error = built.unwrap_err();
        assert!(
            matches!(
                error,
                CacheError::InvalidOption {
                    option: "preset",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn topology_shows_the_family() {
    let topology = topology();
    let read = topology.reads.iter().find(|read| read.function == "other");
    let ttl = read.expect("the function is registered").ttl.to_string();
    assert_eq!(ttl, "preset \"no-such-family:<<kind>>\"");
}
