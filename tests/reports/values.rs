//! Values that other caches lose, mistake for a miss, or return changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::{Bound, Range};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cache_runtime::{Cache, Codec, cacheable};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tests::on_both_stores;
use uuid::Uuid;

use crate::common::Runs;

/// Assert that `get_or_set` caches the value, and that it, `get` and `get_many` return an equal
/// one.
async fn comes_back<T>(cache: &Cache, value: T)
where
    T: cache_runtime::Storable + PartialEq + Debug + Serialize + for<'de> Deserialize<'de>,
{
    let key = std::any::type_name::<T>();
    cache.delete(key).await.unwrap();
    let runs = Runs::default();
    for _ in 0..2 {
        let compute = || async {
            runs.next();
            value.clone()
        };
        assert_eq!(cache.get_or_set(key, 60, compute).await, value);
    }
    assert_eq!(runs.count(), 1, "{value:?} is cached");
    assert_eq!(cache.get::<T>(key).await.unwrap().as_ref(), Some(&value));
    let many = cache.get_many::<T>([key, key]).await.unwrap();
    assert_eq!(many, [Some(value.clone()), Some(value.clone())]);
}

// A value that is false in a condition (0, false, "", an empty list) is mistaken for a miss.
#[tokio::test]
async fn falsy_and_empty_values_are_hits() {
    on_both_stores(|cache| async move {
        comes_back(&cache, 0_u8).await;
        comes_back(&cache, 0_i64).await;
        comes_back(&cache, false).await;
        comes_back(&cache, ()).await;
        comes_back(&cache, '\0').await;
        comes_back(&cache, String::new()).await;
        comes_back(&cache, Vec::<u32>::new()).await;
        comes_back(&cache, vec![(); 3]).await;
        comes_back(&cache, BTreeMap::<String, u32>::new()).await;
        comes_back(&cache, serde_json::Value::Null).await;
        comes_back(&cache, json!({})).await;
        comes_back(&cache, (0, "".to_owned(), false)).await;
        comes_back(&cache, Duration::ZERO).await;
    })
    .await;
}

// A value at the limit of its type is rounded, truncated or refused by the serializer.
#[tokio::test]
async fn numbers_at_their_limits_are_returned_unchanged() {
    on_both_stores(|cache| async move {
        comes_back(&cache, u64::MAX).await;
        comes_back(&cache, i64::MIN).await;
        comes_back(&cache, u128::MAX).await;
        comes_back(&cache, i128::MIN).await;
        comes_back(&cache, f64::MIN_POSITIVE / 2.0).await;
        comes_back(&cache, f32::NEG_INFINITY).await;
        comes_back(&cache, char::MAX).await;
        comes_back(&cache, Duration::MAX).await;
        comes_back(&cache, (u8::MAX, i8::MIN, u16::MAX, i16::MIN)).await;
        let nan = cache.get_or_set("nan", 60, || async { f64::NAN }).await;
        let again = cache.get_or_set("nan", 60, || async { 0.0_f64 }).await;
        assert!(nan.is_nan() && again.is_nan(), "NaN is a value like others");
        let zero = cache.get_or_set("zero", 60, || async { -0.0_f64 }).await;
        let again = cache.get_or_set("zero", 60, || async { 1.0_f64 }).await;
        assert!(zero.is_sign_negative() && again.is_sign_negative());
    })
    .await;
}

// A type whose binary form differs from its text form (addresses, UUIDs, paths, times) is decoded
// wrongly.
#[tokio::test]
async fn types_with_a_text_and_a_binary_form_are_returned_unchanged_by_each_codec() {
    for codec in [Codec::Bincode, Codec::Postcard, Codec::MessagePack] {
        tests::on_both_stores_with(
            |builder| builder.codec(codec),
            |cache| async move {
                comes_back(&cache, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
                comes_back(&cache, IpAddr::V6(Ipv6Addr::LOCALHOST)).await;
                comes_back(&cache, SocketAddr::from(([127, 0, 0, 1], 80))).await;
                comes_back(&cache, Uuid::from_u128(7)).await;
                comes_back(&cache, PathBuf::from("/tmp/ä b")).await;
                comes_back(&cache, SystemTime::UNIX_EPOCH + Duration::from_nanos(1)).await;
                comes_back(&cache, Range { start: 1, end: 9 }).await;
                comes_back(&cache, Bound::Excluded(3)).await;
                comes_back(&cache, Cow::<'static, str>::Owned("x".to_owned())).await;
                comes_back(&cache, Box::<str>::from("boxed")).await;
                comes_back(&cache, [[1_u8; 3]; 2]).await;
                comes_back(&cache, VecDeque::from([1, 2])).await;
                comes_back(&cache, BTreeSet::from([(1, 2)])).await;
                comes_back(&cache, std::num::Wrapping(7_i32)).await;
                comes_back(&cache, std::num::NonZeroU64::MAX).await;
                comes_back(&cache, std::cmp::Reverse(7_i32)).await;
            },
        )
        .await;
    }
}

// A map whose keys aren't strings can't be stored, because the serializer writes JSON.
#[tokio::test]
async fn maps_with_keys_other_than_strings_are_returned_unchanged() {
    on_both_stores(|cache| async move {
        comes_back(&cache, HashMap::from([((1, 'a'), 1.5), ((2, 'b'), 2.5)])).await;
        comes_back(
            &cache,
            BTreeMap::from([(Some(1), "x".to_owned()), (None, String::new())]),
        )
        .await;
        comes_back(&cache, BTreeMap::from([(vec![1, 2], ()), (vec![], ())])).await;
        comes_back(&cache, HashMap::from([(u128::MAX, 1)])).await;
    })
    .await;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Box<Tree>, String, Box<Tree>),
    Named { r#type: String, children: Vec<Tree> },
}

// A recursive type, an enum with every kind of variant, or a field named by a raw identifier can't
// be decoded.
#[tokio::test]
async fn recursive_enums_are_returned_unchanged() {
    on_both_stores(|cache| async move {
        let leaf = || Box::new(Tree::Leaf);
        let inner = Tree::Node(leaf(), "\u{0}\u{1F980}".to_owned(), leaf());
        let named = Tree::Named {
            r#type: "x".to_owned(),
            children: vec![inner, Tree::Leaf],
        };
        comes_back(&cache, named).await;
        comes_back(&cache, Tree::Leaf).await;
    })
    .await;
}

// A value that is itself an `Option` can't be told from a missing entry.
#[tokio::test]
async fn a_none_stored_by_set_is_an_entry() {
    on_both_stores(|cache| async move {
        cache.set("none", &None::<u32>, 60).await.unwrap();
        assert!(cache.exists("none").await.unwrap());
        assert_eq!(cache.get::<Option<u32>>("none").await.unwrap(), Some(None));
        cache
            .set_many([("a", None), ("b", Some(1_u32))], 60)
            .await
            .unwrap();
        let found = cache
            .get_many::<Option<u32>>(["a", "b", "c"])
            .await
            .unwrap();
        assert_eq!(found, [Some(None), Some(Some(1)), None]);
    })
    .await;
}

#[cacheable(key = "nested:<<id>>", skip(runs))]
async fn result_in_result(id: u32, runs: &Runs) -> Result<Result<u32, String>, String> {
    match (runs.next(), id) {
        (run, 0) => Err(format!("outer {run}")),
        (run, 1) => Ok(Err(format!("inner {run}"))),
        (run, _) => Ok(Ok(run)),
    }
}

#[cacheable(key = "nested:option:<<id>>", skip(runs))]
async fn result_in_option(id: u32, runs: &Runs) -> Option<Result<u32, String>> {
    match (runs.next(), id) {
        (_, 0) => None,
        (run, 1) => Some(Err(format!("inner {run}"))),
        (run, _) => Some(Ok(run)),
    }
}

// An error that is nested in another `Result` or in an `Option` is cached as a value.
#[tokio::test]
async fn a_nested_error_is_not_cached() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for run in 1..=2 {
            let failed = result_in_result(0, &runs).await;
            assert_eq!(failed, Err(format!("outer {run}")));
        }
        for run in 3..=4 {
            let failed = result_in_result(1, &runs).await;
            assert_eq!(failed, Ok(Err(format!("inner {run}"))));
        }
        for _ in 0..2 {
            assert_eq!(result_in_result(2, &runs).await, Ok(Ok(5)));
        }
        for run in 6..=7 {
            let failed = result_in_option(1, &runs).await;
            assert_eq!(failed, Some(Err(format!("inner {run}"))));
        }
        for _ in 0..2 {
            assert_eq!(result_in_option(2, &runs).await, Some(Ok(8)));
        }
    })
    .await;
}

// A caller that changes its value changes that of later callers too.
#[tokio::test]
async fn changing_a_returned_value_does_not_change_the_entry() {
    on_both_stores(|cache| async move {
        let list = || async { vec![1, 2, 3] };
        let mut first = cache.get_or_set("list", 60, list).await;
        first.push(4);
        let mut second = cache.get_or_set("list", 60, list).await;
        assert_eq!(second, [1, 2, 3]);
        second.clear();
        assert_eq!(cache.get_or_set("list", 60, list).await, [1, 2, 3]);
    })
    .await;
}

// A value of some megabytes is truncated, or breaks the connection.
#[tokio::test]
async fn a_value_of_a_megabyte_is_returned_during_calls_with_small_values() {
    on_both_stores(|cache| async move {
        let big: Vec<u8> = (0..1_500_000_u32).map(|n| (n % 251) as u8).collect();
        cache.set("big", &big, 60).await.unwrap();
        let small = |n: u32| {
            let cache = cache.clone();
            async move {
                cache
                    .get_or_set(&format!("small:{n}"), 60, || async { n })
                    .await
            }
        };
        let (found, first, second) = tokio::join!(cache.get::<Vec<u8>>("big"), small(1), small(2));
        assert!(found.unwrap().unwrap() == big);
        assert_eq!((first, second), (1, 2));
        assert_eq!(cache.stats().errors, 0);
    })
    .await;
}
