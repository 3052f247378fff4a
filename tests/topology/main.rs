//! The topology of a program. It lists the call sites of the whole binary, so these tests have a
//! binary of their own.
#![allow(missing_docs, clippy::unwrap_used)]

use cache_runtime::ttl::Ttl;
use cache_runtime::{cacheable, invalidate, topology};

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
    assert!(update.line > 0);
}

#[test]
fn a_pattern_that_reaches_no_template_is_reported_dead() {
    let dead = topology().dead_patterns();
    let dead: Vec<(&str, &str)> = dead.iter().map(|at| (at.function, at.pattern)).collect();
    assert_eq!(dead, [("update", "post:<<slug>>")]);
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
        (1, 1, 1)
    );
    assert_eq!(of("generic").misses, 2, "one call site, whatever its types");
    assert_eq!(of("touch").invalidated, 3);
    assert_eq!((stats.hits, stats.misses, stats.invalidated), (1, 4, 3));
    let _ = (posts::comments("a"), posts::update("a"));
}
