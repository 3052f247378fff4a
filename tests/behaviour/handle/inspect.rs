//! `inspect`, `entries` and `diagnose`.

use std::time::Duration;

use cache_runtime::{Cache, CacheError, Codec, InspectedKind, cacheable};
use tests::{on_both_stores, on_both_stores_with};

#[cacheable(key = "none:<<id>>", ttl = 60, stale = 30, cache_none, version = 3)]
async fn none(id: u32) -> Option<u32> {
    let _ = id;
    None
}

#[cacheable(key = "failed:<<id>>", cache_err = |_| true, err_ttl = 60)]
async fn failed(id: u32) -> Result<u32, String> {
    let _ = id;
    Err("no".to_owned())
}

#[cacheable(key = "names:<<id>>", ttl = 60, stale = 30, version = 3)]
async fn names(id: u32) -> Vec<String> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    vec![id.to_string()]
}

#[tokio::test]
async fn an_entry_is_told_with_its_facts() {
    on_both_stores(|cache| async move {
        names(7).await;
        let entry = cache
            .inspect("names:7")
            .await
            .unwrap()
            .expect("it is cached");
        assert_eq!(
            (&entry.key[..], &entry.path[..]),
            ("quickpost:names:7", "names:7")
        );
        assert_eq!((entry.kind, entry.version), (InspectedKind::Value, 3));
        let grace = entry.grace.expect("it is kept").as_secs();
        assert!((30..=35).contains(&grace), "{grace}");
        let ttl = entry.ttl.expect("it expires");
        assert!(
            ttl > Duration::from_secs(30) && ttl <= Duration::from_secs(60),
            "{ttl:?}"
        );
        assert!(entry.compute.expect("it was computed") >= Duration::from_millis(2));
        assert!(entry.age.expect("it is known") < Duration::from_secs(30));
        assert!(entry.bytes > 0 && !entry.refreshing && !entry.is_stale());
        let full = cache.inspect("quickpost:names:7").await.unwrap();
        assert_eq!(full.map(|entry| entry.path).as_deref(), Some("names:7"));
        assert!(cache.inspect("names:8").await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_entry_is_told() {
    on_both_stores(|cache| async move {
        none(1).await;
        failed(1).await.unwrap_err();
        names(1).await;
        let entries = cache.entries("*", 10).await.unwrap();
        let mut kinds: Vec<_> = entries
            .iter()
            .map(|entry| (entry.path.clone(), entry.kind))
            .collect();
        kinds.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [
            ("failed:1", InspectedKind::Error),
            ("names:1", InspectedKind::Value),
            ("none:1", InspectedKind::None),
        ];
        assert_eq!(kinds, expected.map(|(path, kind)| (path.to_owned(), kind)));
    })
    .await;
}

#[tokio::test]
async fn entries_are_those_that_the_pattern_removes() -> Result<(), CacheError> {
    on_both_stores(|cache| async move {
        let keys = [
            "posts:1",
            "posts:1:comments",
            "posts:1#variant",
            "posts:10",
            "users:1",
        ];
        cache.set_many(keys.map(|key| (key, 1)), 60).await.unwrap();
        for pattern in ["posts:1:*", "posts:1", "posts:?", "*:1", "*", "nothing:*"] {
            let mut listed: Vec<String> = cache
                .entries(pattern, 100)
                .await
                .unwrap()
                .into_iter()
                .map(|entry| entry.key)
                .collect();
            listed.sort_unstable();
            cache.delete_pattern(pattern).await.unwrap();
            let mut gone = Vec::new();
            for key in keys {
                if !cache.exists(key).await.unwrap() {
                    gone.push(format!("quickpost:{key}"));
                }
            }
            gone.sort_unstable();
            assert_eq!(listed, gone, "{pattern}");
            cache.set_many(keys.map(|key| (key, 1)), 60).await.unwrap();
        }
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn a_limit_counts_entries_and_not_those_that_are_gone() {
    on_both_stores(|cache| async move {
        let entries = (0..1_200).map(|id| (format!("posts:{id:04}"), id));
        cache.set_many(entries, 60).await.unwrap();
        assert_eq!(cache.entries("posts:*", 1_100).await.unwrap().len(), 1_100);
        assert_eq!(
            cache.entries("posts:*", usize::MAX).await.unwrap().len(),
            1_200
        );
        assert_eq!(cache.entries("posts:*", 0).await.unwrap().len(), 0);
        // Entries that have expired leave their members in the index for a while.
        let brief = (0..700).map(|id| (format!("posts:{id:04}"), id));
        cache
            .set_many(brief, Duration::from_millis(1))
            .await
            .unwrap();
        tests::until("they have expired", || async {
            !cache.exists("posts:0699").await.unwrap() && !cache.exists("posts:0000").await.unwrap()
        })
        .await;
        let left = cache.entries("posts:*", 300).await.unwrap();
        assert_eq!(left.len(), 300);
        assert!(left.iter().all(|entry| entry.path[..] >= *"posts:0700"));
    })
    .await;
}

#[tokio::test]
async fn a_value_of_unknown_type_is_decoded_where_its_codec_describes_it() {
    let described = |builder: cache_runtime::CacheBuilder| builder.codec(Codec::MessagePack);
    on_both_stores_with(described, |cache| async move {
        names(5).await;
        cache.set("set", &vec!["5".to_owned()], 60).await.unwrap();
        for key in ["names:5", "set"] {
            let entry = cache.inspect(key).await.unwrap().expect("it is cached");
            assert_eq!(
                entry.decode::<Vec<String>>(),
                Some(vec!["5".to_owned()]),
                "{key}"
            );
            assert_eq!(entry.decode::<u32>(), None);
            assert_eq!(entry.value_bytes().as_deref(), Some(&b"\x91\xa15"[..]));
        }
        let listed = cache.entries("set", 1).await.unwrap();
        assert_eq!(
            listed[0].decode::<Vec<String>>(),
            None,
            "a list holds no values"
        );
    })
    .await;
}

#[tokio::test]
async fn inspecting_is_no_read() {
    on_both_stores(|cache| async move {
        cache.set("a", &1, 60).await.unwrap();
        let before = cache.stats();
        cache.inspect("a").await.unwrap();
        cache.entries("*", 10).await.unwrap();
        cache.diagnose().await.unwrap();
        let after = cache.stats();
        assert_eq!((before.hits, before.misses), (after.hits, after.misses));
    })
    .await;
}

#[tokio::test]
async fn owners_are_told() {
    let cache = Cache::builder().memory().build().unwrap();
    cache
        .scope(async {
            owned(4, 7).await;
        })
        .await;
    let entry = &cache.entries("*", 10).await.unwrap()[0];
    assert_eq!(entry.owner.as_deref(), Some("4"));
}

#[cacheable(key = "owned:<<user>>:<<id>>", owner = user, ttl = 60)]
async fn owned(user: u32, id: u32) -> u32 {
    user + id
}

/// Return the paths of all pages, each of which has at most `limit` entries.
async fn paged(cache: &Cache, pattern: &str, limit: usize) -> Vec<String> {
    let (mut paths, mut after) = (Vec::new(), None);
    loop {
        let page = cache.entries_page(pattern, after.as_deref(), limit).await;
        let page = page.unwrap();
        assert!(page.entries.len() <= limit);
        paths.extend(page.entries.into_iter().map(|entry| entry.path));
        after = page.next;
        if after.is_none() {
            return paths;
        }
    }
}

#[tokio::test]
async fn pages_have_each_match_once() {
    on_both_stores(|cache| async move {
        let posts = (0..1_203).map(|n| (format!("posts:{}", n / 3), n));
        let posts = posts.map(|(key, n)| match n % 3 {
            0 => (key, n),
            1 => (format!("{key}:page"), n),
            _ => (format!("{key}#variant"), n),
        });
        let others = (0..50).map(|n| (format!("of-{n}:odd"), n));
        let all: Vec<(String, i32)> = posts.chain(others).collect();
        cache.set_many(all.clone(), 60).await.unwrap();
        let path = |key: &str| key.split('#').next().unwrap().to_owned();
        let mut all: Vec<String> = all.iter().map(|(key, _)| path(key)).collect();
        all.sort_unstable();
        for limit in [1, 100, 500, 10_000] {
            let mut found = paged(&cache, "*", limit).await;
            found.sort_unstable();
            assert!(found == all, "{limit}: {} of {}", found.len(), all.len());
        }
        let of_seven = ["posts:7", "posts:7", "posts:7:page"];
        for limit in [1, 2, 3, 4] {
            assert_eq!(paged(&cache, "posts:7:*", limit).await, of_seven, "{limit}");
        }
        assert_eq!(paged(&cache, "*:odd", 7).await.len(), 50);
        assert_eq!(paged(&cache, "posts:7", 5).await.len(), 2);
        assert_eq!(paged(&cache, "nothing:*", 5).await.len(), 0);
        // Within one first segment, entries are in order.
        let posts = paged(&cache, "posts:*", 90).await;
        assert!(posts.is_sorted());
        let strange = cache.entries_page("*", Some("xyz"), 5).await;
        assert!(matches!(
            strange,
            Err(CacheError::InvalidOption {
                option: "after",
                ..
            })
        ));
    })
    .await;
}

#[tokio::test]
async fn a_level_has_entries_and_counted_branches() {
    on_both_stores(|cache| async move {
        let many = (0..1_500).map(|n| (format!("many:{n}:a"), n));
        let few = [
            ("few:1", 1),
            ("few:1#v", 2),
            ("few:1:a", 3),
            ("few:1:a:b", 4),
            ("few:10", 5),
            ("few:2:c", 6),
            ("top", 7),
            ("few", 8),
            ("a\"><img src=x>:b", 9),
        ];
        let few = few.map(|(key, n)| (key.to_owned(), n));
        cache.set_many(many.chain(few), 60).await.unwrap();
        for limit in [1, 2, 100] {
            let level = |prefix: &'static str| {
                let cache = cache.clone();
                async move {
                    let (mut rows, mut after) = (Vec::new(), None::<String>);
                    loop {
                        let part = cache.entries_below(prefix, after.as_deref(), limit).await;
                        let part = part.unwrap();
                        assert!(part.branches.len() + part.entries.len() <= limit);
                        let branches = part.branches.into_iter();
                        rows.extend(branches.map(|branch| {
                            let more = if branch.more { "+" } else { "" };
                            format!("{} {}{more}", branch.prefix, branch.entries)
                        }));
                        rows.extend(part.entries.into_iter().map(|entry| entry.key));
                        after = part.next;
                        if after.is_none() {
                            rows.sort_unstable();
                            return rows;
                        }
                    }
                }
            };
            let top = level("").await;
            let counted = top.iter().find(|row| row.starts_with("many: ")).unwrap();
            assert!(counted.ends_with('+'), "{counted}");
            assert_eq!(top.len(), 5, "{top:?}");
            assert!(top.contains(&"few: 6".to_owned()), "{top:?}");
            assert!(top.contains(&"a\"><img src=x>: 1".to_owned()), "{top:?}");
            let few = [
                "few:1: 2",
                "few:2: 1",
                "quickpost:few:1",
                "quickpost:few:1#v",
                "quickpost:few:10",
            ];
            assert_eq!(level("few:").await, few, "{limit}");
            assert_eq!(level("few:1:").await, ["few:1:a: 1", "quickpost:few:1:a"]);
            assert!(level("nothing:").await.is_empty());
        }
        let all = cache.entries_below("many:", None, 5_000).await.unwrap();
        assert_eq!((all.branches.len(), all.next), (1_500, None));
    })
    .await;
}
