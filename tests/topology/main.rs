//! The topology of a program. It lists the call sites of the whole binary, so these tests have a
//! binary of their own.
#![allow(missing_docs, clippy::unwrap_used)]

use cache_runtime::ttl::Ttl;
use cache_runtime::{cacheable, invalidate, topology, write_through};

mod posts {
    use super::*;

    #[cacheable(key = "posts:<<slug>>", ttl = 600)]
    pub(super) fn post(slug: &str) -> String {
        slug.to_owned()
    }

    #[cacheable(key = "posts:<<slug>>:comments", ttl = "2m")]
    pub(super) async fn comments(slug: &str) -> String {
        slug.to_owned()
    }

    #[invalidate(patterns = ["posts:<<slug>>:*", "post:<<slug>>"])]
    pub(super) async fn update(slug: &str) {
        let _ = slug;
    }
}

#[write_through(key = "posts:<<slug>>", ttl = "5m")]
fn publish(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "psts:<<slug>>:comments")]
fn comment(slug: &str) -> String {
    slug.to_owned()
}

#[cacheable]
fn settings() -> u32 {
    1
}

#[cacheable(key = "generic:<<value>>", ttl = preset("generic"))]
fn generic<T: std::fmt::Display + Clone>(value: T) -> String {
    value.to_string()
}

struct Repo;

impl Repo {
    #[invalidate(patterns = ["<<result>>:*", "topology:settings"])]
    fn touch(&self) -> &'static str {
        "generic"
    }
}

#[test]
fn every_call_site_is_listed_whether_or_not_it_ran() {
    let topology = topology();
    let reads: Vec<(&str, &str, Ttl)> = topology
        .reads
        .iter()
        .map(|read| (read.function, read.template.as_str(), read.ttl))
        .collect();
    let seconds = |count| Ttl::Fixed(std::time::Duration::from_secs(count));
    for read in [
        ("post", "posts:<<slug>>", seconds(600)),
        ("comments", "posts:<<slug>>:comments", seconds(120)),
        ("settings", "topology:settings", Ttl::Default),
        ("generic", "generic:<<value>>", Ttl::Preset("generic")),
    ] {
        assert!(reads.contains(&read), "{read:?} in {reads:?}");
    }
    assert_eq!(reads.len(), 4, "companions aren't listed: {reads:?}");
    let update = topology
        .writes
        .iter()
        .find(|write| write.function == "update")
        .unwrap();
    assert_eq!(update.patterns, ["posts:<<slug>>:*", "post:<<slug>>"]);
    assert_eq!((update.module, update.file), ("topology::posts", file!()));
    assert_eq!(update.stores, None);
    assert!(update.line > 0);
}

#[test]
fn a_write_through_is_a_write_that_stores() {
    let topology = topology();
    let mut writes = topology.writes.iter();
    let publish = writes.find(|write| write.function == "publish").unwrap();
    assert_eq!(publish.patterns, ["posts:<<slug>>"]);
    assert_eq!(
        publish.stores,
        Some(Ttl::Fixed(std::time::Duration::from_secs(300)))
    );
    let replaced: Vec<&str> = topology
        .removed_by(publish)
        .iter()
        .map(|read| read.function)
        .collect();
    assert_eq!(replaced, ["post"]);
    let shown = topology.to_string();
    assert!(shown.contains("posts:<<slug>> (stored)"), "{shown}");
}

#[test]
fn a_pattern_that_reaches_no_template_is_reported_dead() {
    let dead = topology().dead_patterns();
    let dead: Vec<(&str, &str)> = dead.iter().map(|at| (at.function, at.pattern)).collect();
    assert_eq!(
        dead,
        [
            ("comment", "psts:<<slug>>:comments"),
            ("update", "post:<<slug>>")
        ]
    );
}

#[test]
fn a_template_that_no_pattern_reaches_is_reported_as_never_invalidated() {
    let never: Vec<&str> = topology()
        .never_invalidated()
        .iter()
        .map(|read| read.function)
        .collect();
    assert_eq!(
        never,
        Vec::<&str>::new(),
        "`<<result>>:*` reaches every path with at least one segment"
    );
}

#[test]
fn stats_are_counted_per_call_site() {
    let cache = cache_runtime::Cache::builder().build().unwrap();
    cache.scope_sync(|| {
        posts::post("a");
        posts::post("a");
        publish("b");
        posts::post("b");
        comment("b");
        generic(1);
        generic("one");
        settings();
        Repo.touch();
    });
    let stats = cache.stats();
    let of = |function: &str| {
        stats
            .sites
            .iter()
            .find(|site| site.function == function)
            .unwrap()
            .clone()
    };
    assert_eq!(
        (of("post").hits, of("post").misses, of("post").fills),
        (2, 1, 1)
    );
    assert_eq!((of("publish").fills, of("comment").fills), (1, 1));
    assert_eq!(of("generic").misses, 2, "one call site, whatever its types");
    assert_eq!(of("touch").invalidated, 3);
    assert_eq!((stats.hits, stats.misses, stats.invalidated), (2, 4, 3));
    let _ = (posts::comments("a"), posts::update("a"));
}
