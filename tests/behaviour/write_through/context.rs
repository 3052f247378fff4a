//! `context(user_id)`: the value is stored for the user of the request.

use std::time::Duration;

use cache_runtime::{Cache, Invalidations, cacheable, context, invalidate, write_through};
use tests::{Gate, Runs, Stores, begin, events_of, on_both_stores, soon};
use tracing::Level;

use crate::common::{assert_about, memory};

#[cacheable(
    key = "cards:<<user_id>>:<<tab>>",
    context(user_id),
    skip(runs),
    ttl = 60
)]
async fn card(tab: &str, runs: &Runs) -> String {
    format!("run {}", runs.next())
}

#[write_through(key = "cards:<<user_id>>:<<tab>>", context(user_id), ttl = 60)]
async fn save(tab: &str, text: &str) -> Result<String, String> {
    match text {
        "" => Err("empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

#[write_through(key = "cards:<<user_id>>:<<tab>>", context(user_id), ttl = 60)]
fn save_blocking(tab: &str, text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[write_through(key = "cards:<<user_id>>:<<tab>>", context(user_id), tx = tx)]
async fn save_in(tx: &Invalidations, tab: &str, text: &str) -> Result<String, String> {
    match text {
        "" => Err("empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

async fn of<F: Future>(user: &str, future: F) -> F::Output {
    context::scope([("user_id", user)], future).await
}

fn of_sync<T>(user: &str, run: impl FnOnce() -> T) -> T {
    context::scope_sync([("user_id", user)], run)
}

/// Store a card of each of two users, and a card of another tab.
async fn fill(cache: &Cache) {
    let cards = [
        ("cards:ada:a", "x"),
        ("cards:bob:a", "x"),
        ("cards:ada:b", "x"),
    ];
    let cards = cards.map(|(key, text)| (key, text.to_owned()));
    cache.set_many(cards, 600).await.unwrap();
}

/// Return which of the cards are cached.
async fn cached(cache: &Cache) -> [bool; 3] {
    let mut cached = [false; 3];
    for (card, key) in cached
        .iter_mut()
        .zip(["cards:ada:a", "cards:bob:a", "cards:ada:b"])
    {
        *card = cache.exists(key).await.unwrap();
    }
    cached
}

#[tokio::test]
async fn the_value_is_read_by_its_user_only() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        fill(&cache).await;
        of("ada", save("a", "ada's")).await.unwrap();
        assert_eq!(of("ada", card("a", &runs)).await, "ada's");
        assert_eq!(of("bob", card("a", &runs)).await, "x");
        assert_eq!(of("eve", card("a", &runs)).await, "run 1");
        of_sync("bob", || save_blocking("a", "bob's"));
        assert_eq!(of("bob", card("a", &runs)).await, "bob's");
        assert_eq!(of("ada", card("a", &runs)).await, "ada's");
        // The value has the characters of a path.
        of("a:*", save("a", "of a:*")).await.unwrap();
        assert!(cache.exists("cards:a%3A%2A:a").await.unwrap());
        assert_eq!(of("ada", card("a", &runs)).await, "ada's");
        assert_eq!(runs.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn after_an_error_the_entry_of_the_user_is_removed() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        of("ada", save("a", "")).await.unwrap_err();
        assert_eq!(cached(&cache).await, [false, true, true]);
    })
    .await;
}

#[tokio::test]
async fn without_the_context_the_entries_of_all_users_are_removed() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        assert_eq!(save("a", "new").await.as_deref(), Ok("new"));
        assert_eq!(cached(&cache).await, [false, false, true]);
        assert_eq!(
            cache.delete_pattern("cards:*").await.unwrap(),
            1,
            "nothing else is stored"
        );
        fill(&cache).await;
        assert_eq!(save_blocking("a", "new").as_deref(), Some("new"));
        assert_eq!(cached(&cache).await, [false, false, true]);
    })
    .await;
}

#[test]
fn a_missing_value_is_logged_once_and_counted() {
    let stores = Stores::new();
    for (_, cache) in &stores.caches {
        let logged = events_of(Level::WARN, || {
            cache.scope_sync(|| {
                for _ in 0..3 {
                    save_blocking("a", "new");
                }
                of_sync("ada", || save_blocking("a", "new"));
            });
        });
        let [warning] = logged.as_slice() else {
            panic!("one warning: {logged:?}");
        };
        assert_eq!(warning.function, "save_blocking");
        assert_eq!(warning.key, "cards:<<user_id>>:<<tab>>");
        for part in [
            "`user_id`",
            "`ContextLayer`",
            "`context::scope`",
            "isn't stored",
        ] {
            assert!(warning.message.contains(part), "{part}: {warning:?}");
        }
        assert_eq!((cache.stats().errors, cache.stats().fills), (3, 1));
    }
}

/// The reader began before the write, so its value may be from before the commit.
#[tokio::test]
async fn a_reader_that_began_before_a_write_without_the_context_stores_nothing() {
    #[cacheable(key = "cards:<<user_id>>:<<tab>>", context(user_id), skip(gate))]
    async fn slow(tab: &str, gate: Gate) -> u32 {
        gate.pass().await
    }
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let read = || of("ada", slow("a", gate.clone()));
        let reading = {
            let read = slow("a", gate.clone());
            async move { of("ada", read).await }
        };
        let reader = begin(&cache, reading).await;
        gate.reached_by(1).await;
        save("a", "new").await.unwrap();
        gate.open();
        assert_eq!(soon(reader).await.unwrap(), 1);
        assert_eq!(soon(read()).await, 2, "not the value of the earlier flight");
    })
    .await;
}

#[write_through(
    key = "badges:<<user_id>>:<<user_id.len()>>",
    context(user_id),
    ttl = Duration::from_secs(user_id.len() as u64 * 100)
)]
fn badge() -> u32 {
    1
}

#[test]
fn expressions_and_ttls_see_the_value() {
    let cache = memory();
    cache.scope_sync(|| of_sync("ada", badge));
    assert_about(cache.blocking().ttl("badges:ada:3").unwrap(), 300);
}

#[cacheable(
    key = "streams:<<user_id>>",
    context(user_id, locale),
    skip(runs),
    ttl = 60
)]
async fn stream(runs: &Runs) -> u32 {
    runs.next()
}

#[write_through(key = "streams:<<user_id>>", context(user_id, locale), ttl = 60)]
async fn post() -> u32 {
    100
}

#[write_through(key = "streams:<<user_id>>", context(user_id), ttl = 60)]
async fn post_in_any_locale() -> u32 {
    100
}

async fn of_locale<F: Future>(user: &str, locale: &str, future: F) -> F::Output {
    context::scope([("user_id", user), ("locale", locale)], future).await
}

/// A value that is hashed gives the path several entries, and one value can't replace all of them.
#[tokio::test]
async fn where_a_value_is_hashed_all_entries_of_the_path_are_removed() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        for (of_writer, write) in [("the same", true), ("fewer", false)] {
            let before = runs.count();
            for (user, locale) in [("ada", "en"), ("ada", "de"), ("bob", "en")] {
                of_locale(user, locale, stream(&runs)).await;
            }
            match write {
                true => of_locale("ada", "en", post()).await,
                false => of_locale("ada", "en", post_in_any_locale()).await,
            };
            assert!(!cache.exists("streams:ada").await.unwrap(), "{of_writer}");
            assert_eq!(of_locale("bob", "en", stream(&runs)).await, before + 3);
            assert_eq!(of_locale("ada", "en", stream(&runs)).await, before + 4);
            assert_eq!(of_locale("ada", "de", stream(&runs)).await, before + 5);
            cache.delete_pattern("streams:*").await.unwrap();
        }
        // Without the context, those of all users.
        of_locale("ada", "en", stream(&runs)).await;
        of_locale("bob", "en", stream(&runs)).await;
        post().await;
        assert_eq!(cache.delete_pattern("streams:*").await.unwrap(), 0);
    })
    .await;
}

/// No function of this program reads with `locale`; one of another program may.
#[write_through(key = "lonely:<<id>>", context(locale), ttl = 60)]
fn lonely(id: u32) -> u32 {
    id
}

#[write_through(key = "streams:<<user_id>>", context(user_id, locale), ttl = 60)]
fn post_blocking() -> u32 {
    100
}

#[test]
fn a_value_that_is_hashed_is_logged_once() {
    let cache = memory();
    let blocking = cache.blocking();
    let logged = events_of(Level::WARN, || {
        let write = || {
            lonely(1);
            post_blocking();
        };
        cache.scope_sync(|| {
            for _ in 0..2 {
                blocking.set("lonely:1", &0, 60).unwrap();
                context::scope_sync([("user_id", "ada"), ("locale", "en")], write);
                assert!(!blocking.exists("lonely:1").unwrap());
            }
        });
    });
    let [lonely, post] = logged.as_slice() else {
        panic!("two warnings: {logged:?}");
    };
    for (warning, function, part) in [
        (lonely, "lonely", "`context`"),
        (post, "post_blocking", "`stream`"),
    ] {
        assert_eq!(warning.function, function);
        assert!(warning.message.contains(part), "{part}: {warning:?}");
    }
    assert_eq!(cache.stats().entries, 0);
}

#[write_through(key = "lonely:<<id>>", tx = tx)]
async fn lonely_in(tx: &Invalidations, id: u32) -> u32 {
    id
}

#[write_through(key = "lonely:<<id>>", context(locale), tx = tx)]
async fn localized_in(tx: &Invalidations, id: u32) -> u32 {
    id
}

/// The lease of the earlier write of the key is no right to store a value that is hashed.
#[tokio::test]
async fn a_value_that_is_hashed_replaces_that_of_the_same_transaction_by_an_invalidation() {
    on_both_stores(|cache| async move {
        let tx = cache.invalidations();
        lonely_in(&tx, 1).await;
        localized_in(&tx, 1).await;
        assert_eq!(tx.patterns(), ["lonely:1"]);
        tx.commit().await.unwrap();
        assert!(!cache.exists("lonely:1").await.unwrap());
        let tx = cache.invalidations();
        lonely_in(&tx, 1).await;
        tx.commit().await.unwrap();
        assert!(cache.exists("lonely:1").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_transaction_stores_the_value_of_its_user_at_the_commit() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        let tx = cache.invalidations();
        of("ada", save_in(&tx, "a", "ada's")).await.unwrap();
        assert_eq!(tx.patterns(), ["cards:ada:a"]);
        tx.commit().await.unwrap();
        let stored: Option<String> = cache.get("cards:ada:a").await.unwrap();
        assert_eq!(stored.as_deref(), Some("ada's"));
        assert_eq!(cached(&cache).await, [true, true, true]);
    })
    .await;
}

#[tokio::test]
async fn a_transaction_without_the_context_removes_the_entries_of_all_users_at_the_commit() {
    on_both_stores(|cache| async move {
        for text in ["new", ""] {
            fill(&cache).await;
            let tx = cache.invalidations();
            assert_eq!(save_in(&tx, "a", text).await.is_ok(), text == "new");
            assert_eq!(tx.patterns(), ["cards:*:a"]);
            assert_eq!(cached(&cache).await, [true, true, true]);
            assert_eq!(tx.commit().await.unwrap(), 2);
            assert_eq!(cached(&cache).await, [false, false, true]);
        }
        let tx = cache.invalidations();
        fill(&cache).await;
        save_in(&tx, "a", "new").await.unwrap();
        tx.rollback();
        assert_eq!(cached(&cache).await, [true, true, true]);
    })
    .await;
}

/// The entry of the write without the context may be the same one.
#[tokio::test]
async fn a_value_of_the_same_transaction_is_not_stored_beside_a_write_without_the_context() {
    on_both_stores(|cache| async move {
        for scoped_first in [true, false] {
            let tx = cache.invalidations();
            if !scoped_first {
                save_in(&tx, "a", "anyone's").await.unwrap();
            }
            of("ada", save_in(&tx, "a", "ada's")).await.unwrap();
            if scoped_first {
                save_in(&tx, "a", "anyone's").await.unwrap();
            }
            tx.commit().await.unwrap();
            assert_eq!(cached(&cache).await, [false; 3]);
        }
    })
    .await;
}

#[write_through(key = "cards:<<user_id>>:<<tab>>", context(user_id), tx = tx)]
async fn save_and_commit(tx: &Invalidations, tab: &str) -> String {
    tx.commit().await.unwrap();
    "new".to_owned()
}

#[tokio::test]
async fn a_body_without_the_context_may_end_its_transaction() {
    on_both_stores(|cache| async move {
        fill(&cache).await;
        let tx = cache.invalidations();
        save_and_commit(&tx, "a").await;
        assert_eq!(cached(&cache).await, [false, false, true]);
        assert!(tx.is_empty());
    })
    .await;
}

#[write_through(key = "cards:<<user_id>>:<<tab>>", context(user_id), ttl = 60)]
#[invalidate(patterns = ["counts:<<user_id>>"], context(user_id))]
async fn add(tab: &str) -> u32 {
    1
}

#[tokio::test]
async fn a_stacked_invalidation_has_the_same_context() {
    on_both_stores(|cache| async move {
        cache
            .set_many([("counts:ada", 1), ("counts:bob", 1)], 60)
            .await
            .unwrap();
        of("ada", add("a")).await;
        assert!(!cache.exists("counts:ada").await.unwrap());
        assert!(cache.exists("counts:bob").await.unwrap());
        assert_eq!(cache.get("cards:ada:a").await.unwrap(), Some(1_u32));
        add("a").await;
        assert!(!cache.exists("counts:bob").await.unwrap());
        assert!(!cache.exists("cards:ada:a").await.unwrap());
    })
    .await;
}
