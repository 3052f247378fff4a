//! Deeply nested values and arguments, which must not overflow the stack.

use std::collections::BTreeMap;

use cache_runtime::{Cache, CacheError, Codec, cacheable};
use serde::{Deserialize, Serialize};
use tests::{RedisServer, events_of};
use tracing::Level;

use crate::common::Runs;

/// A list whose `Drop` and `Debug` don't recurse, so that an overflow is the cache's.
#[derive(Clone, Serialize, Deserialize)]
struct Node {
    value: u32,
    next: Option<Box<Node>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut node) = next {
            next = node.next.take();
        }
    }
}

fn list(length: u32) -> Node {
    let mut list = Node {
        value: 0,
        next: None,
    };
    for value in 1..length {
        list = Node {
            value,
            next: Some(Box::new(list)),
        };
    }
    list
}

impl Node {
    fn length(&self) -> u32 {
        let (mut length, mut node) = (1, self);
        while let Some(next) = &node.next {
            (length, node) = (length + 1, next);
        }
        length
    }
}

/// A type that nests through sequences, maps and options alone, which have no name in serde.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Nest(Vec<Nest>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Maps(BTreeMap<u8, Maps>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Options(Option<Box<Options>>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Newtype(Option<Box<Newtype>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Expression {
    Number(i64),
    Negated(Box<Expression>),
    Sum { of: (Box<Expression>, i64) },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Json {
    Number(i64),
    Many(Vec<Json>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Leaf,
    Inner { next: Box<Tagged> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

fn nested<T>(depth: u32, first: T, wrap: impl Fn(T) -> T) -> T {
    (0..depth).fold(first, |value, _| wrap(value))
}

/// Run a test on a thread with the default stack size, which tokio workers have too.
fn on_a_worker(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(test).unwrap().join().unwrap();
}

fn caches(server: &RedisServer) -> Vec<(String, Cache)> {
    let mut caches = vec![
        ("memory".to_owned(), Cache::builder().build().unwrap()),
        (
            "memory as bytes".to_owned(),
            Cache::builder().memory_as_bytes(true).build().unwrap(),
        ),
    ];
    for codec in [Codec::Bincode, Codec::Postcard, Codec::MessagePack] {
        let builder = Cache::builder().redis(server.url()).codec(codec);
        let builder = builder.prefix(format!("{codec:?}"));
        let cache = builder.response_timeout(tests::PATIENCE).build().unwrap();
        caches.push((format!("Redis, {codec:?}"), cache));
    }
    caches
}

macro_rules! deep {
    ($($name:ident -> $type:ty = $make:expr, $fits:literal;)*) => {
        $(
            #[cacheable(skip(runs), companions = false)]
            fn $name(depth: u32, runs: &Runs) -> $type {
                runs.next();
                let make: fn(u32) -> $type = $make;
                make(depth)
            }
        )*

        #[test]
        fn a_deep_value_is_returned_not_stored_and_logged_once() {
            let server = RedisServer::start();
            for (store, cache) in caches(&server) {
                $({
                    let (cache, store) = (cache.clone(), store.clone());
                    on_a_worker(move || {
                        let what = format!("{} on {store}", stringify!($name));
                        for (depth, stored) in [($fits, true), (2 * $fits + 1, false), (400, false)] {
                            let runs = Runs::default();
                            let events = events_of(Level::WARN, || cache.scope_sync(|| {
                                for _ in 0..3 {
                                    drop($name(depth, &runs));
                                }
                            }));
                            let expected = if stored { 1 } else { 3 };
                            assert_eq!(runs.count(), expected, "{what}: {depth}: {events:#?}");
                            let said = usize::from(depth == 2 * $fits + 1);
                            assert_eq!(events.len(), said, "{what}: {depth}: {events:#?}");
                            for event in events {
                                assert!(event.message.contains("is nested more than"), "{event:?}");
                            }
                        }
                    });
                })*
            }
        }
    };
}

deep! {
    lists -> Node = list, 64;
    nests -> Nest = |depth| nested(depth, Nest::default(), |inner| Nest(vec![inner])), 125;
    maps -> Maps = |depth| nested(depth, Maps::default(), |inner| Maps([(1, inner)].into())), 125;
    newtypes -> Newtype = |depth| nested(depth, Newtype::default(), |inner| Newtype(Some(Box::new(inner)))), 60;
    negated -> Expression = |depth| nested(depth, Expression::Number(1), |inner| Expression::Negated(Box::new(inner))), 125;
    sums -> Expression = |depth| nested(depth, Expression::Number(1), |inner| Expression::Sum { of: (Box::new(inner), 1) }), 60;
    untagged -> Json = |depth| nested(depth, Json::Number(1), |inner| Json::Many(vec![inner])), 120;
    tagged -> Tagged = |depth| nested(depth, Tagged::Leaf, |next| Tagged::Inner { next: Box::new(next) }), 120;
    values -> serde_json::Value = |depth| nested(depth, serde_json::json!(1), |inner| serde_json::json!([inner])), 120;
    flattened -> Flat = |depth| Flat {
        rest: [("a".to_owned(), nested(depth, serde_json::json!(1), |inner| serde_json::json!({ "a": inner })))].into(),
    }, 120;
}

#[cacheable(skip(runs), companions = false)]
fn very_deep(length: u32, runs: &Runs) -> Node {
    runs.next();
    list(length)
}

/// The value is not cloned either, because a derived `Clone` recurses.
#[test]
fn a_list_of_a_hundred_thousand_nodes_is_returned() {
    let server = RedisServer::start();
    for (store, cache) in caches(&server) {
        on_a_worker(move || {
            cache.scope_sync(|| {
                let runs = Runs::default();
                for length in [1_000, 6_000, 100_000] {
                    assert_eq!(very_deep(length, &runs).length(), length, "{store}");
                }
                assert_eq!(runs.count(), 3);
                assert_eq!(cache.stats().fills, 0);
            });
        });
    }
}

#[test]
fn setting_a_deep_value_is_an_error() {
    let server = RedisServer::start();
    for (store, cache) in caches(&server) {
        on_a_worker(move || {
            let cache = cache.blocking();
            let refused = cache.set("list", &list(100_000), 60);
            assert!(
                matches!(refused, Err(CacheError::TooDeep { .. })),
                "{store}: {refused:?}"
            );
            assert_eq!(cache.get::<Node>("list").unwrap().map(|_| ()), None);
            cache.set("list", &list(60), 60).unwrap();
            let read = cache.get::<Node>("list").unwrap();
            assert_eq!(read.map(|read| read.length()), Some(60));
        });
    }
}

#[cacheable(skip(runs), companions = false)]
fn of_a_list(list: &Node, runs: &Runs) -> u32 {
    runs.next();
    list.length()
}

#[cacheable(skip(runs), companions = false)]
fn of_maps(maps: &Maps, runs: &Runs) -> usize {
    runs.next();
    maps.0.len()
}

#[test]
fn a_deep_argument_makes_the_call_uncached_and_is_logged_once() {
    on_a_worker(|| {
        let cache = Cache::builder().build().unwrap();
        let runs = Runs::default();
        let events = events_of(Level::WARN, || {
            cache.scope_sync(|| {
                let (short, long) = (list(60), list(100_000));
                for _ in 0..3 {
                    assert_eq!(of_a_list(&short, &runs), 60);
                    assert_eq!(of_a_list(&long, &runs), 100_000);
                    let maps = nested(1_000, Maps::default(), |inner| Maps([(1, inner)].into()));
                    assert_eq!(of_maps(&maps, &runs), 1);
                }
            });
        });
        assert_eq!(runs.count(), 1 + 3 + 3);
        let seen: Vec<_> = events.iter().map(|event| &event.function[..]).collect();
        assert_eq!(seen, ["of_a_list", "of_maps"]);
        assert!(
            events[0]
                .message
                .contains("the argument `list`: it is nested more than 128 levels deep"),
            "{events:?}"
        );
        assert_eq!(cache.stats().errors, 6);
    });
}

#[cacheable(skip(runs), companions = false)]
fn options(depth: u32, runs: &Runs) -> Options {
    runs.next();
    nested(depth, Options::default(), |inner| {
        Options(Some(Box::new(inner)))
    })
}

/// A pass over a type that contains itself through options alone ends only at the depth limit.
#[test]
fn a_type_that_nests_through_options_alone_is_limited() {
    let server = RedisServer::start();
    for (store, cache) in caches(&server) {
        on_a_worker(move || {
            cache.scope_sync(|| {
                let runs = Runs::default();
                for depth in [2, 1_000] {
                    let given = options(depth, &runs);
                    assert!(given.0.is_some(), "{store}");
                }
            });
        });
    }
}
