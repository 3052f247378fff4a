//! The variant: when a key has one, and its text.
#![allow(dead_code, reason = "of most functions only the keys are asked for")]

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use cache_runtime::{Cache, cacheable};
use serde::{Deserialize, Serialize, Serializer};
use tests::on_both_stores;

use crate::common::{Runs, memory, variant};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Filter {
    topic: String,
    page: u32,
    author: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Order {
    Newest,
    By(String),
    Between { from: i64, to: i64 },
}

#[derive(Serialize)]
struct Meters(f32);

struct Raw(&'static [u8]);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

macro_rules! hashing {
    ($($name:ident($type:ty);)*) => {$(
        #[cacheable(key = "golden")]
        fn $name(value: $type) {}
    )*};
}
hashing! {
    structs(&Filter); maps(&HashMap<String, u32>); sorted_maps(&BTreeMap<String, u32>); options(Option<u32>);
    enums(&Order); nested(&Nested); floats(f64); newtypes(Meters); bytes(Raw); texts(&str); numbers(u64);
    small_numbers(u8); tuples((u8, char, bool)); units(()); signed(i128);
}

type Nested = Vec<(Option<Filter>, BTreeMap<u8, Vec<Order>>)>;

#[cacheable(key = "golden")]
fn two(first: u32, second: u32) {}

fn filter() -> Filter {
    Filter {
        topic: "rust".to_owned(),
        page: 2,
        author: None,
    }
}

/// The recorded variants must never change. A change would make every entry of such a function a
/// miss, and while two releases run side by side, each would miss the other's invalidations by
/// exact key.
#[test]
fn variants_equal_the_recorded_ones() {
    let entries = || (0..9u32).map(|n| (format!("key{n}"), n));
    let nested: Nested = vec![
        (Some(filter()), BTreeMap::from([(1, vec![Order::Newest])])),
        (None, BTreeMap::new()),
    ];
    let between = Order::Between { from: -1, to: 1 };
    let keys = memory().scope_sync(|| {
        [
            ("struct", structs_cache_key(&filter())),
            ("map", maps_cache_key(&entries().collect())),
            (
                "sorted map",
                sorted_maps_cache_key(&entries().rev().collect()),
            ),
            ("none", options_cache_key(None)),
            ("some", options_cache_key(Some(0))),
            ("unit variant", enums_cache_key(&Order::Newest)),
            (
                "newtype variant",
                enums_cache_key(&Order::By("date".to_owned())),
            ),
            ("struct variant", enums_cache_key(&between)),
            ("nested", nested_cache_key(&nested)),
            ("float", floats_cache_key(0.1)),
            ("nan", floats_cache_key(f64::NAN)),
            ("newtype", newtypes_cache_key(Meters(1.5))),
            ("bytes", bytes_cache_key(Raw(b"\0\xFFabc"))),
            ("text", texts_cache_key("my-post-slug")),
            ("number", numbers_cache_key(u64::MAX)),
            ("small number", small_numbers_cache_key(7)),
            ("tuple", tuples_cache_key((1, 'é', true))),
            ("unit", units_cache_key(())),
            ("signed", signed_cache_key(i128::MIN)),
            ("two", two_cache_key(1, 2)),
        ]
    });
    let found: Vec<(&str, &str)> = keys
        .iter()
        .map(|(name, key)| (*name, variant(key).unwrap()))
        .collect();
    assert_eq!(found, GOLDEN);
}

const GOLDEN: &[(&str, &str)] = &[
    ("struct", "fkqqxmtpr27rafzqdj1zpzs54m"),
    ("map", "c39901zxm3d3kgkj3b8vx8zxhg"),
    ("sorted map", "c39901zxm3d3kgkj3b8vx8zxhg"),
    ("none", "wybr2aa2jtqgwayhja7wsdpr2c"),
    ("some", "7ecxkqwpm1rmk4ae7krvj3vj6m"),
    ("unit variant", "7y9fvktxb596ew8kksfe0vrdm0"),
    ("newtype variant", "k9wb2atzmqb88jrxp0vbrq10rg"),
    ("struct variant", "h4xx43djrnw7vf8w2dzhsyes34"),
    ("nested", "amy8vk5fpjsb0ft65eb40xwham"),
    ("float", "9mr8xe521z252x4wswyhavj9j8"),
    ("nan", "h0gtqdyxh6f9knya0gv32zqng8"),
    ("newtype", "n23j2cvap7jvwqwd0cyz1xsc04"),
    ("bytes", "efqdvkh39ywccvgm5enwmhkptm"),
    ("text", "vf8t9tcc3cs8n4bdrcrrzq0g8r"),
    ("number", "v09t4za0wf9cp5vcj9r3yccnd4"),
    ("small number", "mevffec6b95qe2qgfb9h6cf028"),
    ("tuple", "7k3s1m66yk3t4ad7fz88y8d598"),
    ("unit", "y0vv93105d7qcctnargvsy7r18"),
    ("signed", "17ryj87dd6q51qd2kw348b2270"),
    ("two", "qamtqbvhe03cfm0rwcr45gw6a0"),
];

#[test]
fn a_variant_has_26_characters_and_ignores_the_order_of_maps() {
    memory().scope_sync(|| {
        let forward: HashMap<String, u32> = (0..50).map(|n| (n.to_string(), n)).collect();
        let mut backward = HashMap::with_capacity(4_000);
        backward.extend((0..50).rev().map(|n| (n.to_string(), n)));
        assert_eq!(maps_cache_key(&forward), maps_cache_key(&backward));
        let key = maps_cache_key(&forward);
        let variant = variant(&key).unwrap();
        assert_eq!(variant.len(), 26);
        let readable =
            |c: char| c.is_ascii_digit() || (c.is_ascii_lowercase() && !"ilou".contains(c));
        assert!(variant.chars().all(readable), "{variant}");
    });
}

#[test]
fn arguments_swapped_or_of_another_type_have_different_keys() {
    memory().scope_sync(|| {
        assert_ne!(two_cache_key(1, 2), two_cache_key(2, 1));
        assert_ne!(floats_cache_key(0.0), floats_cache_key(-0.0));
        assert_ne!(texts_cache_key(""), units_cache_key(()));
        assert_ne!(numbers_cache_key(7), small_numbers_cache_key(7));
    });
}

#[cacheable(key = "const")]
fn no_arguments() {}

#[cacheable(key = "const", skip(_db))]
fn all_skipped(_db: &Cache) {}

#[cacheable(key = "const:<<a>>")]
fn in_template(a: u32) {}

#[cacheable(key = "const:<<a.unwrap_or(0)>>")]
fn used_in_template(a: Option<u32>) {}

#[cacheable(key = "const:<<a>>")]
fn one_hashed(a: u32, b: u32) {}

#[cacheable(key = "life:<<a>>", skip(_b))]
fn lifetimes<'a, 'b: 'a>(a: &'a str, _b: PhantomData<&'b ()>) {}

struct Borrowing<'a>(&'a str);

impl<'a> Borrowing<'a> {
    #[cacheable(key = "life:<<self.0>>:<<a>>", companions)]
    fn lifetimes<'b: 'a>(&self, a: &'b str) {}
}

#[cacheable(key = "const:<<a>>")]
fn constant<const N: usize>(a: u32) {}

#[cacheable(key = "const:<<a>>")]
#[allow(clippy::extra_unused_type_parameters)]
fn typed<T>(a: u32) {}

#[cacheable(key = "const:<<a>>")]
fn opaque(a: impl std::fmt::Display) {}

#[test]
fn a_key_has_a_variant_only_if_arguments_are_hashed() {
    memory().scope_sync(|| {
        assert_eq!(no_arguments_cache_key(), "quickpost:const");
        assert_eq!(all_skipped_cache_key(&Cache::current()), "quickpost:const");
        assert_eq!(in_template_cache_key(1), "quickpost:const:1");
        assert_eq!(used_in_template_cache_key(Some(1)), "quickpost:const:1");
        assert!(one_hashed_cache_key(1, 2).starts_with("quickpost:const:1#"));
        assert_eq!(lifetimes_cache_key("a", PhantomData), "quickpost:life:a");
        assert_eq!(
            Borrowing("a").lifetimes_cache_key("b"),
            "quickpost:life:a:b"
        );
        let keys = [
            constant_cache_key::<1>(1),
            constant_cache_key::<2>(1),
            typed_cache_key::<u8>(1),
            typed_cache_key::<&str>(1),
            opaque_cache_key(1u8),
            opaque_cache_key(1u16),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(key.starts_with("quickpost:const:1#"), "{key}");
            assert!(!keys[..at].contains(key), "{key}");
        }
    });
}

struct Repo<T, const N: usize = 0>(PhantomData<T>);

impl<T: 'static + Send + Sync, const N: usize> Repo<T, N> {
    #[cacheable(key = "repo:<<id>>", skip(runs))]
    async fn find(&self, id: u32, runs: &Runs) -> u32 {
        runs.next()
    }

    #[cacheable(key = "repo:<<id>>", companions)]
    fn key_of(id: u32) {}
}

#[tokio::test]
async fn methods_of_a_generic_types_instances_have_separate_entries() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        let (bytes, words) = (Repo::<u8>(PhantomData), Repo::<u16>(PhantomData));
        let larger = Repo::<u8, 1>(PhantomData);
        for _ in 0..2 {
            assert_eq!(bytes.find(1, &runs).await, 1);
            assert_eq!(words.find(1, &runs).await, 2);
            assert_eq!(larger.find(1, &runs).await, 3);
        }
        let key = Repo::<u8>::key_of_cache_key(1);
        assert!(key.starts_with("quickpost:repo:1#"), "{key}");
        assert_ne!(key, Repo::<u16>::key_of_cache_key(1));
    })
    .await;
}
