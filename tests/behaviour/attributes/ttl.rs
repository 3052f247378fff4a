//! `ttl`: its forms, and the lifetime that each sets.

use std::time::Duration;

use cache_runtime::{Cache, Clock, cacheable, ttl};
use tests::Stores;

use crate::common::{Post, Runs, assert_about};

#[cacheable(key = "ttl:seconds", ttl = 600)]
async fn seconds() -> u32 {
    1
}
#[cacheable(key = "ttl:text", ttl = "1h30m")]
async fn text() -> u32 {
    1
}
#[cacheable(key = "ttl:expression:<<minutes>>", ttl = Duration::from_secs(60 * minutes))]
async fn expression(minutes: u64) -> u32 {
    1
}
#[cacheable(key = "ttl:number:<<minutes>>", ttl = minutes * 60)]
async fn number(minutes: u64) -> u32 {
    1
}
#[cacheable(key = "ttl:value", ttl = |post: &Post| Duration::from_secs(post.id.into()))]
async fn of_value(id: u32) -> Result<Option<Post>, String> {
    Ok(Some(Post::new(id, "a")))
}
#[cacheable(key = "ttl:constant", ttl = ttl::LONG)]
async fn constant() -> u32 {
    1
}
#[cacheable(key = "ttl:preset", ttl = preset("profile"))]
async fn preset() -> u32 {
    1
}
#[cacheable(key = "ttl:unknown-preset", ttl = preset("unknown"))]
async fn unknown_preset() -> u32 {
    1
}
#[cacheable(key = "ttl:default")]
async fn default() -> u32 {
    1
}

#[tokio::test]
async fn every_form_of_ttl_sets_the_lifetime_of_the_entry() {
    let stores = Stores::with(|builder| {
        builder
            .default_ttl(Duration::from_secs(123))
            .preset("profile", Duration::from_secs(77))
    });
    for (_, cache) in &stores.caches {
        cache
            .scope(async {
                seconds().await;
                text().await;
                expression(5).await;
                number(4).await;
                of_value(1_000).await.unwrap();
                constant().await;
                preset().await;
                unknown_preset().await;
                default().await;
            })
            .await;
        for (key, seconds) in [
            ("seconds", 600),
            ("text", 5_400),
            ("expression:5", 300),
            ("number:4", 240),
            ("constant", 3_600),
            ("preset", 77),
            ("unknown-preset", 123),
            ("default", 123),
        ] {
            assert_about(cache.ttl(&format!("ttl:{key}")).await.unwrap(), seconds);
        }
        let keys = cache.delete_pattern("ttl:value").await.unwrap();
        assert_eq!(keys, 1, "the key has a variant, because `id` is hashed");
    }
}

#[cacheable(key = "short:<<id>>", ttl = "1500ms", skip(runs))]
fn short(id: u32, runs: &Runs) -> u32 {
    runs.next()
}

#[cacheable(key = "own:<<id>>", ttl = |id: &u32| Duration::from_secs((*id).into()), skip(runs))]
fn own(id: u32, runs: &Runs) -> u32 {
    runs.next();
    id
}

#[test]
fn an_entry_expires_after_its_ttl_and_a_ttl_of_zero_stores_nothing() {
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let runs = Runs::default();
    cache.scope_sync(|| {
        assert_eq!(short(1, &runs), 1);
        clock.advance(Duration::from_millis(1_499));
        assert_eq!(short(1, &runs), 1);
        clock.advance(Duration::from_millis(1));
        assert_eq!(short(1, &runs), 2);
    });
    for (_, cache) in &Stores::new().caches {
        let runs = Runs::default();
        cache.scope_sync(|| (own(0, &runs), own(0, &runs), own(9, &runs), own(9, &runs)));
        assert_eq!(runs.count(), 3);
        assert!(!cache.blocking().exists("own:0").unwrap());
    }
}
