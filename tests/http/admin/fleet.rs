//! `GET /fleet` and `GET /sizes`.

use cache_runtime::{Cache, cacheable};
use serde_json::{Value, json};
use tests::on_both_stores;

use super::Api;

#[cacheable(key = "pens:<<n>>", ttl = 60)]
async fn pen(n: u32) -> u32 {
    n
}

#[cacheable(key = "pens:<<n>>:ink", ttl = 60)]
async fn ink(n: u32) -> String {
    "ink".repeat(n as usize)
}

#[cacheable(key = "pens-never-used", ttl = 60)]
async fn seldom() -> u32 {
    1
}

fn of<'a>(functions: &'a Value, name: &str) -> &'a Value {
    let name = format!("http::admin::fleet::{name}");
    let mut functions = functions.as_array().unwrap().iter();
    functions.find(|row| row["function"] == *name).unwrap()
}

#[tokio::test]
async fn the_fleet_has_processes_functions_and_their_sums() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        for n in [1, 1, 2, 1] {
            pen(n).await;
        }
        let fleet = api.get("/fleet").await;
        assert_eq!(
            (&fleet["status"], &fleet["prefix"]),
            (&json!("success"), &json!("quickpost"))
        );
        assert_eq!(fleet["store"]["entries"], 2);
        let process = &fleet["processes"][0];
        assert_eq!(process["instance"], cache.snapshot().instance);
        assert_eq!(
            (&process["breaker_open"], &process["total"]["calls"]),
            (&json!(false), &json!(4))
        );
        let pen = of(&fleet["functions"], "pen");
        assert_eq!(
            (&pen["name"], &pen["module"]),
            (&json!("pen"), &json!("http::admin::fleet"))
        );
        assert_eq!(
            (&pen["templates"], &pen["ttl"]),
            (&json!(["pens:<<n>>"]), &json!("60s"))
        );
        assert_eq!(
            (&pen["calls"], &pen["hit_rate"], &pen["computed"]),
            (&json!(4), &json!(0.5), &json!(2))
        );
        assert!(pen["p50"].as_f64().unwrap() <= pen["p99"].as_f64().unwrap());
        let seldom = of(&fleet["functions"], "seldom");
        assert_eq!(
            (&seldom["calls"], &seldom["p50"]),
            (&json!(0), &Value::Null)
        );
        let operations = fleet["operations"].as_array().unwrap();
        assert_eq!(operations.is_empty(), fleet["backend"] == "memory");
    })
    .await;
}

#[tokio::test]
async fn sizes_are_those_of_the_entries_of_each_template() {
    on_both_stores(|cache| async move {
        let api = Api::of(&cache).await;
        for n in [1, 2, 3] {
            pen(n).await;
        }
        ink(500).await;
        let sizes = api.get("/sizes").await;
        let (pens, inks) = (
            of(&sizes["functions"], "pen"),
            of(&sizes["functions"], "ink"),
        );
        assert_eq!(
            (&pens["entries"], &pens["more"]),
            (&json!(3), &json!(false))
        );
        assert_eq!(inks["entries"], 1);
        assert!(inks["bytes"].as_u64().unwrap() > 100, "{inks}");
        assert_eq!(of(&sizes["functions"], "seldom")["entries"], 0);
    })
    .await;
}

#[tokio::test]
async fn sizes_of_many_entries_are_bounded() {
    let cache = Cache::builder().build().unwrap();
    let entries = (0..1_500).map(|n| (format!("pens:{n}"), n));
    cache.set_many(entries, 60).await.unwrap();
    let api = Api::of(&cache).await;
    cache.scope(seldom()).await;
    let sizes = api.get("/sizes").await;
    let pens = of(&sizes["functions"], "pen");
    assert_eq!(
        (&pens["entries"], &pens["more"]),
        (&json!(1_000), &json!(true))
    );
}
