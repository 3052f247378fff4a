//! Distinct arguments have distinct keys.
#![allow(dead_code, reason = "only the keys are asked for")]

use cache_runtime::cacheable;
use proptest::prelude::*;

use crate::common::memory;

type Arguments = (String, Option<u32>, Vec<String>);

#[cacheable(key = "hashed")]
fn all_hashed(a: &str, b: Option<u32>, c: &[String]) {}

#[cacheable(key = "<<a>>-<<b>>-<<c.concat()>>:<<c.len()>>")]
fn one_list(a: &str, b: Option<u32>, c: &[String; 1]) {}

#[cacheable(key = "mixed:<<a>>%<<b>>")]
fn mixed(a: &str, b: Option<u32>, c: &[String]) {}

fn arguments() -> impl Strategy<Value = Arguments> {
    // Few characters, most of them structural, so that near collisions are common.
    let text = || {
        proptest::collection::vec(
            proptest::sample::select(vec!['a', '-', ':', '%', '#', '1']),
            0..3,
        )
    };
    let text = move || text().prop_map(|letters| letters.into_iter().collect::<String>());
    let number = proptest::option::of(prop_oneof![0..2u32, 10..12u32]);
    (text(), number, proptest::collection::vec(text(), 0..3))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn distinct_arguments_have_distinct_keys(one in arguments(), other in arguments()) {
        memory().scope_sync(|| {
            let keys = |(a, b, c): &Arguments| {
                let list = [c.first().cloned().unwrap_or_default()];
                (all_hashed_cache_key(a, *b, c), mixed_cache_key(a, *b, c), one_list_cache_key(a, *b, &list))
            };
            let (ours, theirs) = (keys(&one), keys(&other));
            prop_assert_eq!(one == other, ours.0 == theirs.0);
            prop_assert_eq!(one == other, ours.1 == theirs.1);
            let first = |arguments: &Arguments| arguments.2.first().cloned().unwrap_or_default();
            let alike = one.0 == other.0 && one.1 == other.1 && first(&one) == first(&other);
            prop_assert_eq!(alike, ours.2 == theirs.2);
            Ok(())
        })?;
    }
}
