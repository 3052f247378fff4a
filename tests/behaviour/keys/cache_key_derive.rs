//! `#[derive(CacheKey)]`: the key of a hashed argument.
#![allow(dead_code, reason = "of most functions only the keys are asked for")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::sync::Arc;

use cache_runtime::{CacheKey, KeyWriter, cacheable};
use proptest::prelude::*;
use serde::{Serialize, Serializer};
use tests::on_both_stores;

use crate::common::memory;

#[derive(CacheKey, Clone, Serialize)]
struct Auth {
    user: u32,
    #[serde(skip_serializing)]
    token: u32,
    #[serde(serialize_with = "masked")]
    password: String,
    #[cache_key(skip)]
    request: u32,
}

fn masked<S: Serializer>(_: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("***")
}

fn auth(token: u32) -> Auth {
    Auth {
        user: 1,
        token,
        password: "p".to_owned(),
        request: 0,
    }
}

#[cacheable(key = "auth")]
fn of_auth(auth: Auth) -> u32 {
    auth.token
}

#[cacheable(key = "auth-async")]
async fn of_auth_ref(auth: &Auth) -> u32 {
    auth.token
}

#[cacheable(key = "auth-option")]
fn of_option(auth: Option<&Auth>) -> Option<u32> {
    auth.map(|auth| auth.token)
}

#[cacheable(key = "auth-list")]
fn of_list(all: &[Arc<Auth>], _page: u32) -> Vec<u32> {
    all.iter().map(|auth| auth.token).collect()
}

#[cacheable(key = "auth-nested")]
fn of_nested(all: HashMap<String, (Box<Auth>, u8)>) -> u32 {
    all.values().map(|(auth, _)| auth.token).sum()
}

#[tokio::test]
async fn a_field_skipped_by_serde_is_in_the_key() {
    on_both_stores(|_| async {
        let nested = |token| HashMap::from([("a".to_owned(), (Box::new(auth(token)), 0))]);
        for token in [1, 2, 1, 2] {
            assert_eq!(of_auth(auth(token)), token);
            assert_eq!(of_auth_ref(&auth(token)).await, token);
            assert_eq!(of_option(Some(&auth(token))), Some(token));
            assert_eq!(of_list(&[auth(token).into()], 1), [token]);
            assert_eq!(of_nested(nested(token)), token);
        }
    })
    .await;
}

#[test]
fn a_masked_field_is_in_the_key_and_a_skipped_one_is_not() {
    memory().scope_sync(|| {
        let first = of_auth_cache_key(auth(1));
        let other_password = Auth {
            password: "q".to_owned(),
            ..auth(1)
        };
        assert_ne!(of_auth_cache_key(other_password), first);
        let other_request = Auth {
            request: 7,
            ..auth(1)
        };
        assert_eq!(of_auth_cache_key(other_request), first);
    });
}

/// The same types, hashed through `Serialize`.
mod through_serialize {
    use serde::Serialize;

    #[derive(Serialize)]
    pub(super) struct Named {
        pub(super) a: u32,
        pub(super) r#type: Option<String>,
    }
    #[derive(Serialize)]
    pub(super) struct Tuple(pub(super) u8, pub(super) [u16; 2]);
    #[derive(Serialize)]
    pub(super) struct Newtype(pub(super) Vec<(i64, char)>);
    #[derive(Serialize)]
    pub(super) struct Unit;
    #[derive(Serialize)]
    pub(super) enum Kind {
        Unit,
        Newtype(f64),
        Tuple(bool, ()),
        Struct { from: i8, to: Result<u8, String> },
    }
}

#[derive(CacheKey)]
struct Named {
    a: u32,
    r#type: Option<String>,
}

#[derive(CacheKey)]
struct Tuple(u8, [u16; 2]);

#[derive(CacheKey)]
struct Newtype(Vec<(i64, char)>);

#[derive(CacheKey)]
struct Unit;

#[derive(CacheKey)]
enum Kind {
    Unit,
    Newtype(f64),
    Tuple(bool, ()),
    Struct { from: i8, to: Result<u8, String> },
}

#[derive(CacheKey)]
enum Never {}

#[test]
fn the_derived_key_equals_that_of_a_plain_serialize() {
    macro_rules! keys {
        ($module:ident) => {{
            #[cacheable(key = "same")]
            fn named(value: $module::Named) {}
            #[cacheable(key = "same")]
            fn tuple(value: $module::Tuple) {}
            #[cacheable(key = "same")]
            fn newtype(value: $module::Newtype) {}
            #[cacheable(key = "same")]
            fn unit(value: $module::Unit) {}
            #[cacheable(key = "same")]
            fn kind(value: &[$module::Kind]) {}
            use $module::{Kind, Named, Newtype, Tuple, Unit};
            let r#type = Some("t".to_owned());
            let to = Err("e".to_owned());
            let kinds = [
                Kind::Unit,
                Kind::Newtype(0.1),
                Kind::Tuple(true, ()),
                Kind::Struct {
                    from: -1,
                    to: Ok(1),
                },
                Kind::Struct { from: -1, to },
            ];
            [
                named_cache_key(Named { a: 1, r#type }),
                tuple_cache_key(Tuple(1, [2, 3])),
                newtype_cache_key(Newtype(vec![(1, 'x')])),
                unit_cache_key(Unit),
                kind_cache_key(&kinds),
            ]
        }};
    }
    use self as keyed;
    memory().scope_sync(|| assert_eq!(keys!(keyed), keys!(through_serialize)));
}

/// The types of std write the same bytes as their `Serialize`, so adding the derive to a struct
/// changes no key.
#[test]
fn std_types_have_the_key_of_their_serialize() {
    struct ByHand<T>(T);
    impl<T: Serialize> CacheKey for ByHand<T> {
        fn cache_key(&self, key: &mut KeyWriter<'_>) {
            key.serialize(&self.0);
        }
    }
    fn check<T: CacheKey + Serialize + Clone>(value: T) {
        #[cacheable(key = "same")]
        fn keyed(value: &dyn CacheKey) {}
        assert_eq!(
            keyed_cache_key(&value),
            keyed_cache_key(&ByHand(value.clone())),
            "{}",
            std::any::type_name::<T>()
        );
    }
    memory().scope_sync(|| {
        check("text");
        check((1u8, -1i128, 0.5f32, 'x', true, (), String::new(), u128::MAX));
        check(Some(Box::new(1)));
        check(None::<u8>);
        check(vec![vec![1, 2], vec![]]);
        check([[1, 2], [3, 4]]);
        check(Cow::Borrowed("text"));
        check(BTreeMap::from([(2, "b"), (1, "a")]));
        check(HashMap::from([(2, "b"), (1, "a"), (3, "c")]));
        check(BTreeSet::from([3, 1, 2]));
        check(HashSet::from([7]));
        check(Ok::<u8, String>(1));
        check(Err::<u8, String>("e".to_owned()));
        check(PhantomData::<fn()>);
        check(std::time::Duration::from_millis(1));
        check(std::path::PathBuf::from("/a/b"));
        check("127.0.0.1:80".parse::<std::net::SocketAddr>().unwrap());
        check(std::num::NonZero::<u32>::MIN);
    });
}

/// A generic type whose parameters need no `Serialize`.
#[derive(CacheKey)]
struct Page<T, const N: usize, M: ?Sized = str> {
    of: T,
    sizes: [u8; N],
    #[cache_key(skip)]
    mark: fn(&M),
    kind: PhantomData<M>,
}

#[cacheable(key = "page")]
fn page<const N: usize>(page: &Page<Option<&Named>, N>) {}

#[test]
fn generic_types_can_derive_cache_key() {
    memory().scope_sync(|| {
        let key = |a, size| {
            let named = Named { a, r#type: None };
            page_cache_key(&Page {
                of: Some(&named),
                sizes: [size],
                mark: |_: &str| {},
                kind: PhantomData,
            })
        };
        assert_eq!(key(1, 1), key(1, 1));
        assert_ne!(key(1, 1), key(2, 1));
        assert_ne!(key(1, 1), key(1, 2));
    });
}

/// A hasher of its own, so that sets with equal elements differ in their order.
fn set(elements: impl IntoIterator<Item = String>) -> HashSet<String> {
    let mut set = HashSet::with_hasher(RandomState::new());
    set.extend(elements);
    set
}

#[cacheable(key = "sets")]
fn of_set(tags: &HashSet<String>) {}

#[cacheable(key = "sets")]
fn of_sets<S: BuildHasher>(tags: HashMap<u32, Vec<HashSet<String, S>>>) {}

#[derive(CacheKey)]
struct Filter {
    tags: HashSet<String>,
}

#[cacheable(key = "sets")]
fn of_filter(filter: Filter) {}

type Tags = HashSet<String>;

#[cacheable(key = "sets")]
async fn of_alias(tags: Tags) -> usize {
    tags.len()
}

#[tokio::test]
async fn equal_sets_have_one_key_regardless_of_their_order() {
    on_both_stores(|cache| async move {
        let elements = || (0..40).map(|n| n.to_string());
        for _ in 0..20 {
            let (one, other) = (set(elements()), set(elements().rev()));
            assert_eq!(of_set_cache_key(&one), of_set_cache_key(&other));
            let nested = |set: &HashSet<String>| HashMap::from([(1, vec![set.clone()])]);
            assert_eq!(
                of_sets_cache_key(nested(&one)),
                of_sets_cache_key(nested(&other))
            );
            let filter = |set: &HashSet<String>| of_filter_cache_key(Filter { tags: set.clone() });
            assert_eq!(filter(&one), filter(&other));
            assert_eq!(of_alias(one).await, 40);
            assert_eq!(of_alias(other).await, 40);
        }
        assert_eq!(cache.stats().misses, 1, "all other calls are hits");
        let smaller = set(elements().skip(1));
        assert_ne!(
            of_set_cache_key(&set(elements())),
            of_set_cache_key(&smaller)
        );
    })
    .await;
}

/// A type whose values all serialize to one text.
#[derive(Clone, CacheKey)]
struct SecretString(String);

impl Serialize for SecretString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

#[cacheable(key = "secrets")]
fn of_secret(secret: &SecretString, others: Vec<SecretString>) -> String {
    format!("{}{}", secret.0, others.len())
}

#[test]
fn a_value_whose_serialize_is_redacted_is_in_the_key() {
    memory().scope_sync(|| {
        let secret = |text: &str| SecretString(text.to_owned());
        for _ in 0..2 {
            assert_eq!(of_secret(&secret("a"), vec![]), "a0");
            assert_eq!(of_secret(&secret("b"), vec![]), "b0");
            assert_eq!(of_secret(&secret("b"), vec![secret("c")]), "b1");
        }
        assert_ne!(
            of_secret_cache_key(&secret("b"), vec![secret("c")]),
            of_secret_cache_key(&secret("b"), vec![secret("d")])
        );
    });
}

/// A field without a `CacheKey` is hashed through `Serialize`; if that fails, the call runs without
/// the cache.
#[derive(CacheKey)]
struct Failing(Refuses);

struct Refuses;

impl Serialize for Refuses {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[cacheable(key = "failing")]
fn of_failing(value: Failing) -> u32 {
    7
}

#[test]
fn a_field_that_fails_to_serialize_leaves_the_call_uncached() {
    let cache = memory();
    cache.scope_sync(|| {
        assert_eq!(
            (of_failing(Failing(Refuses)), of_failing(Failing(Refuses))),
            (7, 7)
        );
    });
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.errors), (0, 0, 2));
}

#[derive(CacheKey, Clone, Debug, PartialEq)]
enum Shape {
    Empty,
    Text(String),
    Pair(String, String),
    Named { a: String, b: Vec<String> },
    Map(BTreeMap<String, Option<u8>>),
    Set(HashSet<u8>),
}

#[cacheable(key = "shapes")]
fn of_shape(shape: &Shape, next: &Option<Shape>) {}

fn shape() -> impl Strategy<Value = Shape> {
    let text = || "[ab:]{0,2}";
    prop_oneof![
        Just(Shape::Empty),
        text().prop_map(Shape::Text),
        (text(), text()).prop_map(|(a, b)| Shape::Pair(a, b)),
        (text(), prop::collection::vec(text(), 0..3)).prop_map(|(a, b)| Shape::Named { a, b }),
        prop::collection::btree_map(text(), prop::option::of(0u8..2), 0..3).prop_map(Shape::Map),
        prop::collection::hash_set(0u8..3, 0..3).prop_map(Shape::Set),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn different_values_have_different_keys(
        one in (shape(), prop::option::of(shape())),
        other in (shape(), prop::option::of(shape())),
    ) {
        memory().scope_sync(|| {
            let keys = (of_shape_cache_key(&one.0, &one.1), of_shape_cache_key(&other.0, &other.1));
            prop_assert_eq!(one == other, keys.0 == keys.1);
            Ok(())
        })?;
    }
}
