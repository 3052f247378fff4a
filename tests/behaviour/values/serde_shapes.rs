//! Types with unusual serde representations: a hit returns the computed value, on both stores.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use cache_runtime::{CacheBuilder, Codec, cacheable};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, json};
use tests::on_both_stores_with;
use uuid::Uuid;

use crate::common::{Post, Runs};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    post: Inner,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Inner {
    slug: String,
    tags: Option<Vec<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    Fields { at: f32, of: Option<u8> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Internal {
    Nothing,
    Host {
        address: IpAddr,
        uuid: Uuid,
        letter: char,
    },
    Post(Inner),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Nothing,
    One(u8),
    Two(u8, String),
    Fields { a: Option<u8>, b: IpAddr },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum External {
    Nothing,
    One(Box<External>),
    Two(u8, String),
    Fields { a: u8 },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sparse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    second: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    third: Vec<Sparse>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Namesake {
    first: u32,
    last: u32,
}

/// A type of the same name with one more field, which is optional.
mod longer {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    pub(super) struct Namesake {
        pub(super) first: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(super) middle: Option<u32>,
        pub(super) last: u32,
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename = "other")]
struct Renamed {
    first_name: String,
    #[serde(rename(serialize = "written", deserialize = "read"))]
    second: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Aliased {
    #[serde(rename(serialize = "written", deserialize = "read"))]
    first: u32,
    #[serde(alias = "old", alias = "older")]
    second: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tree {
    name: String,
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pair(u8, Option<Option<u8>>);

/// A text of a fixed form, like the date type of a library.
#[derive(Clone, Debug, PartialEq)]
struct Date(u16, u8);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("year {} month {}", self.0, self.1))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut words = text.split(' ');
        let (Some("year"), Some(year), Some("month"), Some(month)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(de::Error::custom("no date"));
        };
        let (Ok(year), Ok(month)) = (year.parse(), month.parse()) else {
            return Err(de::Error::custom("no number"));
        };
        Ok(Self(year, month))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Event {
    on: Date,
    until: Option<Date>,
    what: External,
}

/// A type that refuses every sample up to a thousand.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
struct Large(u64);

impl TryFrom<u64> for Large {
    type Error = String;
    fn try_from(value: u64) -> Result<Self, String> {
        if value > 1_000 {
            Ok(Self(value))
        } else {
            Err("too small".to_owned())
        }
    }
}

impl From<Large> for u64 {
    fn from(large: Large) -> Self {
        large.0
    }
}

fn inner() -> Inner {
    Inner {
        slug: "a".to_owned(),
        tags: Some(vec!["x".to_owned()]),
    }
}

fn tree(depth: u32) -> Tree {
    let children = (0..depth.min(2)).map(|_| tree(depth - 1)).collect();
    let parent = (depth > 0).then(|| Box::new(tree(0)));
    Tree {
        name: depth.to_string(),
        children,
        parent,
    }
}

macro_rules! shapes {
    ($($name:ident -> $type:ty { $($value:expr),* $(,)? })*) => {
        $(
            #[cacheable(skip(runs, values))]
            async fn $name(which: usize, runs: &Runs, values: &[$type]) -> $type {
                runs.next();
                values[which].clone()
            }
        )*

        /// A value that one codec can't carry is written by another, so the results don't depend on
        /// the chosen codec.
        #[tokio::test]
        async fn a_hit_returns_the_computed_value_for_every_serde_shape() {
            for codec in [Codec::Bincode, Codec::Postcard, Codec::MessagePack] {
                each_shape(|builder| builder.codec(codec)).await;
            }
            each_shape(|builder| builder.compress_over(0)).await;
            each_shape(|builder| builder.memory_as_bytes(true)).await;
        }

        async fn each_shape(configure: impl Fn(CacheBuilder) -> CacheBuilder) {
            on_both_stores_with(configure, |cache| async move {
                $(
                    let values: Vec<$type> = vec![$($value),*];
                    for (which, value) in values.iter().enumerate() {
                        let runs = Runs::default();
                        let written = format!("{value:?}");
                        for _ in 0..2 {
                            let given = $name(which, &runs, &values).await;
                            // Compared by `Debug`, since a NaN is not equal to itself.
                            assert_eq!(format!("{given:?}"), written);
                        }
                        assert_eq!(runs.count(), 1, "{} is not cached: {written}", stringify!($type));
                    }
                )*
                assert_eq!(cache.stats().errors, 0);
            })
            .await;
        }
    };
}

shapes! {
    values -> Value {
        json!(null), json!(1), json!(-1.5), json!("text"), json!([1, [null], {}]), json!({"b": 1, "a": {"c": [true]}}),
    }
    flattened -> Flat {
        Flat { id: 1, post: inner(), rest: BTreeMap::new() },
        Flat { id: 1, post: inner(), rest: BTreeMap::from([("more".to_owned(), json!([1, "x"]))]) },
    }
    untagged -> Untagged {
        Untagged::Number(-7), Untagged::Text("x".to_owned()), Untagged::Fields { at: 1.5, of: None },
        Untagged::Fields { at: 0.1, of: Some(1) },
    }
    internal -> Internal {
        Internal::Nothing,
        Internal::Host { address: Ipv4Addr::LOCALHOST.into(), uuid: Uuid::from_u128(7), letter: 'é' },
        Internal::Post(inner()),
    }
    adjacent -> Adjacent {
        Adjacent::Nothing, Adjacent::One(1), Adjacent::Two(2, "x".to_owned()),
        Adjacent::Fields { a: None, b: Ipv4Addr::LOCALHOST.into() },
    }
    mixed -> Vec<(Internal, Untagged, Adjacent)> {
        vec![(Internal::Nothing, Untagged::Number(1), Adjacent::One(1)), (Internal::Post(inner()), Untagged::Number(2), Adjacent::Nothing)],
    }
    external -> External {
        External::Nothing, External::Two(1, "x".to_owned()), External::Fields { a: 1 },
        External::One(Box::new(External::One(Box::new(External::Nothing)))),
    }
    sparse -> Sparse {
        Sparse { first: None, second: 1, third: vec![] },
        Sparse { first: Some("x".to_owned()), second: 1, third: vec![Sparse { first: None, second: 2, third: vec![] }] },
    }
    namesakes -> Vec<(Namesake, longer::Namesake)> {
        vec![(Namesake { first: 1, last: 2 }, longer::Namesake { first: 3, middle: None, last: 4 })],
        vec![(Namesake { first: 1, last: 2 }, longer::Namesake { first: 3, middle: Some(5), last: 4 })],
    }
    renamed -> Renamed { Renamed { first_name: "x".to_owned(), second: 1 } }
    aliased -> Aliased { Aliased { first: 1, second: 2 } }
    nested_options -> Vec<Option<Option<Option<u8>>>> { vec![None, Some(None), Some(Some(None)), Some(Some(Some(1)))] }
    options_of_units -> Vec<Option<()>> { vec![None, Some(())] }
    pairs -> Pair { Pair(1, None), Pair(1, Some(None)), Pair(1, Some(Some(2))) }
    keyed_by_numbers -> HashMap<u32, String> { HashMap::from([(1, "x".to_owned())]) }
    keyed_by_tuples -> BTreeMap<(u8, Option<char>), Unit> { BTreeMap::from([((1, None), Unit), ((1, Some('a')), Unit)]) }
    keyed_by_structs -> BTreeMap<Uuid, Vec<Value>> { BTreeMap::from([(Uuid::from_u128(1), vec![json!(1)])]) }
    wide -> (i128, u128) { (i128::MIN, u128::MAX) }
    floats -> Vec<f64> { vec![f64::NAN, f64::INFINITY, -0.0, f64::MIN_POSITIVE] }
    small_floats -> [f32; 3] { [f32::NAN, f32::NEG_INFINITY, 0.1] }
    uuids -> Uuid { Uuid::from_u128(u128::MAX) }
    trees -> Tree { tree(0), tree(3) }
    dates -> Date { Date(2026, 11) }
    events -> Event { Event { on: Date(1999, 1), until: None, what: External::Two(1, "x".to_owned()) } }
    large -> Vec<Large> { vec![Large(1_001)] }
    times -> (SystemTime, Duration, IpAddr) {
        (SystemTime::UNIX_EPOCH + Duration::from_millis(1_500), Duration::MAX, Ipv4Addr::BROADCAST.into()),
    }
    bytes -> Vec<u8> { (0..=255).collect() }
    empties -> (String, Vec<Post>, Option<String>, ()) { (String::new(), vec![], Some(String::new()), ()) }
    large_text -> String { "é".repeat(100_000) }
}
