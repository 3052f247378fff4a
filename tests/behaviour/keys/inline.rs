//! `escape`, `key!` and `pattern!`.

use cache_runtime::{cacheable, escape, key, pattern};
use proptest::prelude::*;
use tests::on_both_stores;

use crate::common::memory;

#[cacheable(key = "inline:<<term>>:<<page>>")]
fn search(term: &str, page: Option<u32>) -> String {
    format!("{term}{page:?}")
}

#[cacheable(key = "inline:<<a>>-<<b>>")]
fn together(a: &str, b: &str) -> String {
    format!("{a} {b}")
}

#[tokio::test]
async fn the_macro_key_returns_the_key_of_the_same_template_in_an_attribute() {
    on_both_stores(|cache| async move {
        for (term, page) in [
            ("rust", Some(1)),
            ("a:b*#?", None),
            ("", Some(0)),
            ("é %", None),
        ] {
            search(term, page);
            assert_eq!(
                key!("inline:<<term>>:<<page>>"),
                search_cache_path(term, page)
            );
            let found = cache.get(&key!("inline:{{term}}:{{page}}")).await.unwrap();
            assert_eq!(found, Some(format!("{term}{page:?}")));
        }
        // Without a separator between values, the key contains their lengths, as in an attribute.
        for (a, b) in [("x-y", "z"), ("x", "y-z")] {
            together(a, b);
            assert_eq!(key!("inline:<<a>>-<<b>>"), together_cache_path(a, b));
        }
        assert_eq!(key!("inline"), "inline");
    })
    .await;
}

struct User {
    id: u32,
}

impl User {
    fn key(&self) -> String {
        key!("users:<<self.id>>")
    }
}

macro_rules! in_a_macro {
    ($template:literal) => {
        (key!($template), pattern!($template))
    };
}

#[test]
fn placeholders_are_expressions_over_variables_in_scope() {
    const KIND: &str = "kind";
    let user = User { id: 7 };
    let (result, r#type) = (1, 'x');
    let w = "w";
    assert_eq!(user.key(), "users:7");
    assert_eq!(key!("<<KIND>>:<<user.id + 1>>"), "kind:8");
    assert_eq!(key!("<<result>>:<<r#type>>:<<w>>"), "1:x:w");
    assert_eq!(key!("{<<user.id>>}:tag",), "{7}:tag");
    assert_eq!(pattern!("<<result>>:*"), "1:*");
    assert_eq!(in_a_macro!("a:<<user.id>>"), ("a:7".into(), "a:7".into()));
    let nested = "c";
    assert_eq!(key!("a:<<key!(\"b:<<nested>>\")>>"), "a:b%3Ac");
}

#[test]
fn escape_returns_the_text_that_a_placeholder_writes() {
    for text in ["", "my-post", "a:b", "*?[x]\\", "{}%#", " \n\u{a0}", "é"] {
        assert_eq!(escape(text), key!("<<text>>"));
    }
}

#[test]
fn pattern_escapes_values_and_keeps_wildcards_of_the_literal() {
    let term = "a*[b]?\\:";
    assert_eq!(
        pattern!("search:<<term>>:[0-9]?*\\*"),
        "search:a%2A%5Bb%5D%3F%5C%3A:[0-9]?*\\*"
    );
}

/// Generate texts of characters that are special in patterns.
fn term() -> impl Strategy<Value = String> {
    prop_oneof!["[ab:*?\\[\\]\\\\#%^-]{0,4}", "\\PC{0,3}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_pattern_with_a_value_deletes_only_the_entries_of_that_value(
        terms in prop::collection::hash_set(term(), 1..6),
        term in term(),
    ) {
        let cache = memory().blocking();
        let keys = |term: &String| [key!("search:<<term>>"), key!("search:<<term>>:1")];
        for term in &terms {
            for key in keys(term) {
                cache.set(&key, term, 60).unwrap();
            }
        }
        let deleted = cache.delete_pattern(&pattern!("search:<<term>>:*")).unwrap();
        prop_assert_eq!(deleted, if terms.contains(&term) { 2 } else { 0 });
        for other in &terms {
            for key in keys(other) {
                prop_assert_eq!(cache.exists(&key).unwrap(), *other != term, "{}", key);
            }
        }
    }
}
