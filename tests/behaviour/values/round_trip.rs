//! Values that serde doesn't read as it wrote them: returned, logged once, and never stored.
#![allow(dead_code, reason = "fields are shown by `Debug`")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cache_runtime::{Cache, CacheBuilder, CacheError, Codec, cacheable};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tests::{RedisServer, events_of};
use tracing::Level;

use crate::common::Runs;

fn mask<S: Serializer>(_: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("***")
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SkipsDeserializing {
    #[serde(skip_deserializing)]
    id: i32,
    title: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SkipsDeserializingIncomparable {
    title: String,
    #[serde(skip_deserializing)]
    id: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Skips {
    name: String,
    #[serde(skip)]
    token: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SkipsSerializing {
    name: String,
    #[serde(skip_serializing, default)]
    password_hash: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NeverRead {
    name: String,
    #[serde(skip_serializing)]
    password_hash: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Masked {
    #[serde(serialize_with = "mask")]
    secret: String,
}

/// Fields that serde skips when writing and reading, of types without `PartialEq`.
mod twins {
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    pub(super) struct Hidden {
        pub(super) first: u32,
        pub(super) last: u32,
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hidden {
    first: u32,
    #[serde(skip_serializing, default)]
    secret: u32,
    last: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Account {
    Guest,
    User {
        name: String,
        #[serde(skip_serializing, default)]
        password: String,
    },
}

/// A field that is only written and one that is only read, so the numbers of fields agree.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Swapped {
    #[serde(skip_deserializing)]
    id: u32,
    #[serde(skip_serializing, default)]
    secret: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Optional {
    #[serde(default = "on", skip_serializing_if = "is_off")]
    on: bool,
}

fn on() -> bool {
    true
}

fn is_off(on: &bool) -> bool {
    !*on
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    #[serde(flatten)]
    inner: SkipsDeserializing,
    more: Vec<SkipsDeserializing>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Post(SkipsDeserializingIncomparable),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    /// This variant accepts every number, so the other one is never read.
    Float(f64),
    Integer(u64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Level3 {
    Low,
    #[serde(other)]
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Partly {
    Written,
    #[serde(skip)]
    Never,
    #[serde(skip_deserializing)]
    Unread,
}

/// A time written as seconds, as many crates do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Coarse {
    #[serde(serialize_with = "whole_seconds", deserialize_with = "seconds")]
    after: Duration,
}

fn whole_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Transparent {
    #[serde(serialize_with = "mask")]
    secret: String,
}

/// A type that is written as another type than it is read, without a loss.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Written", from = "Read")]
struct Converted {
    name: String,
}

#[derive(Serialize)]
struct Written {
    name: String,
}

#[derive(Deserialize)]
struct Read {
    name: String,
    #[serde(default)]
    _nickname: String,
}

impl From<Converted> for Written {
    fn from(Converted { name }: Converted) -> Self {
        Self { name }
    }
}

impl From<Read> for Converted {
    fn from(Read { name, .. }: Read) -> Self {
        Self { name }
    }
}

/// A type that writes one field more than it reads, without a loss.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Derived {
    width: u32,
    height: u32,
}

impl Serialize for Derived {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Derived", 3)?;
        fields.serialize_field("width", &self.width)?;
        fields.serialize_field("height", &self.height)?;
        fields.serialize_field("area", &(self.width * self.height))?;
        fields.end()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Renamed {
    #[serde(rename(serialize = "written", deserialize = "read"))]
    first: u32,
    #[serde(alias = "older", alias = "oldest")]
    second: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    third: Option<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Aliased {
    #[serde(alias = "older", alias = "oldest")]
    second: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    third: Option<u32>,
}

type Sets = (HashSet<u32>, HashMap<String, Vec<u32>>, BTreeMap<u8, char>);

/// A standard library type that serde changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Standard {
    wide: (i128, u128),
    floats: (f32, f64, f64),
    sets: Sets,
    time: (Duration, SystemTime),
    place: (PathBuf, IpAddr),
    text: Cow<'static, str>,
    shared: Arc<str>,
    array: [u8; 32],
}

/// A type whose values are never equal, not even to themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    value: f64,
}

fn standard() -> Standard {
    Standard {
        wide: (i128::MIN, u128::MAX),
        floats: (0.1, f64::NAN, -0.0),
        sets: (
            [1].into(),
            [(text("a"), vec![1, 2])].into(),
            [(1, 'a')].into(),
        ),
        time: (Duration::MAX, SystemTime::UNIX_EPOCH),
        place: (PathBuf::from("/a"), Ipv4Addr::LOCALHOST.into()),
        text: "a".into(),
        shared: "b".into(),
        array: [7; 32],
    }
}

/// A type compared by its id alone, as entities often are.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entity {
    id: u32,
    #[serde(skip_serializing, default)]
    password_hash: String,
}

impl PartialEq for Entity {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// Run a future on this thread, where the events are collected.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Build caches whose entries are bytes: on Redis with each codec and compressed, and in memory.
fn caches_of_bytes(server: &RedisServer) -> Vec<(String, Cache)> {
    let codecs = [Codec::Bincode, Codec::Postcard, Codec::MessagePack];
    let mut caches = Vec::new();
    for codec in codecs {
        let named = |builder: CacheBuilder| builder.prefix(format!("{codec:?}")).codec(codec);
        let redis = named(Cache::builder().redis(server.url())).response_timeout(tests::PATIENCE);
        let compressed = redis.clone().prefix(format!("{codec:?}z")).compress_over(0);
        let memory = named(Cache::builder()).memory_as_bytes(true);
        caches.push((format!("Redis, {codec:?}"), redis.build().unwrap()));
        caches.push((
            format!("Redis, {codec:?}, compressed"),
            compressed.build().unwrap(),
        ));
        caches.push((format!("memory, {codec:?}"), memory.build().unwrap()));
    }
    caches
}

/// Call each function twice on each cache. Its body must have run `runs` times.
macro_rules! expect {
    ($server:expr; $($name:ident -> $type:ty = $value:expr, $said:expr;)*) => {{
        $(
            #[cacheable(skip(runs), companions = false)]
            async fn $name(runs: &Runs) -> $type {
                runs.next();
                $value
            }
        )*
        for (store, cache) in caches_of_bytes($server) {
            $({
                let said: &[&str] = &$said;
                let runs = Runs::default();
                let events = events_of(Level::WARN, || run(cache.scope(async {
                    for _ in 0..3 {
                        let given = $name(&runs).await;
                        assert_eq!(format!("{given:?}"), format!("{:?}", $value), "{store}");
                    }
                })));
                let what = format!("{} on {store}: {events:#?}", stringify!($name));
                let (stored, warned) = (said.is_empty(), usize::from(!said.is_empty()));
                assert_eq!(runs.count(), if stored { 1 } else { 3 }, "{what}");
                assert_eq!(events.len(), warned, "{what}");
                for part in said {
                    assert!(events[0].message.contains(part), "{part:?} is missing: {what}");
                }
            })*
        }
    }};
}

#[test]
fn a_value_that_serde_would_change_is_returned_logged_once_and_not_stored() {
    let server = RedisServer::start();
    expect! { &server;
        skips_deserializing -> SkipsDeserializing = SkipsDeserializing { id: 7, title: text("a") },
            ["`id` of `SkipsDeserializing`", "skip_deserializing"];
        skips_deserializing_the_default -> SkipsDeserializing = SkipsDeserializing { id: 0, title: text("a") }, [];
        skips_deserializing_incomparable -> SkipsDeserializingIncomparable =
            SkipsDeserializingIncomparable { id: 7, title: text("a") }, ["`id` of"];
        skips -> Skips = Skips { name: text("a"), token: text("h") }, ["Skips`", "`PartialEq`"];
        skips_the_default -> Skips = Skips { name: text("a"), token: text("") }, [];
        skips_serializing -> SkipsSerializing =
            SkipsSerializing { name: text("a"), password_hash: text("h") },
            ["`password_hash` of `SkipsSerializing`", "skip_serializing"];
        never_read -> NeverRead = NeverRead { name: text("a"), password_hash: text("h") }, ["password_hash"];
        hidden -> Hidden = Hidden { first: 1, secret: 2, last: 3 }, ["`secret` of `Hidden`"];
        beside_a_namesake -> (twins::Hidden, Hidden) =
            (twins::Hidden { first: 1, last: 2 }, Hidden { first: 3, secret: 4, last: 5 }), ["`secret` of `Hidden`"];
        in_a_variant -> Vec<Account> =
            vec![Account::Guest, Account::User { name: text("a"), password: text("h") }], ["`password` of `User`"];
        in_no_variant -> Vec<Account> = vec![Account::Guest], [];
        swapped -> Swapped = Swapped { id: 7, secret: 8 }, [" of `Swapped`"];
        skips_if_it_is_not_the_default -> Optional = Optional { on: false }, ["Optional`"];
        flattened -> Outer = Outer { inner: SkipsDeserializing { id: 7, title: text("a") }, more: vec![] }, ["Outer`"];
        nested -> Outer = Outer {
            inner: SkipsDeserializing { id: 0, title: text("a") },
            more: vec![SkipsDeserializing { id: 1, title: text("b") }],
        }, ["`id` of `SkipsDeserializing`"];
        tagged -> Tagged = Tagged::Post(SkipsDeserializingIncomparable { title: text("a"), id: 7 }), ["Tagged`"];
        untagged -> Untagged = Untagged::Integer(7), ["Untagged`"];
        untagged_first -> Untagged = Untagged::Float(7.5), [];
        other -> Vec<Level3> = vec![Level3::Low, Level3::Unknown], [];
        a_variant_that_is_never_written -> Partly = Partly::Never, ["can't be encoded"];
        a_variant_that_is_never_read -> Partly = Partly::Unread, ["can't be encoded"];
        a_variant_beside_them -> Partly = Partly::Written, [];
        coarse -> Coarse = Coarse { after: Duration::from_millis(1_500) }, ["Coarse`"];
        coarse_and_whole -> Coarse = Coarse { after: Duration::from_secs(1) }, [];
        transparent -> Transparent = Transparent { secret: text("secret") }, ["Transparent`"];
        converted -> Converted = Converted { name: text("a") }, [];
        derived -> Derived = Derived { width: 2, height: 3 }, [];
        renamed -> Renamed = Renamed { first: 1, second: 2, third: Some(3) }, [];
        aliased -> Vec<Aliased> = vec![Aliased { second: 2, third: None }, Aliased { second: 2, third: Some(1) }], [];
        standard_types -> Standard = standard(), [];
        not_a_number -> Measured = Measured { value: f64::NAN }, [];
        in_an_option -> Option<Arc<Skips>> = Some(Arc::new(Skips { name: text("a"), token: text("h") })), ["Skips`"];
        in_a_result -> Result<Skips, String> = Ok::<_, String>(Skips { name: text("a"), token: text("h") }), ["Skips`"];
        masked -> Masked = Masked { secret: text("secret") }, ["Masked`"];
        masked_already -> Masked = Masked { secret: text("***") }, [];
        entity -> Entity = Entity { id: 1, password_hash: text("h") }, ["`password_hash` of `Entity`"];
    }
}

/// Changes that no check finds, because there is no way to compare the values.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Undetected {
    name: String,
    #[serde(skip)]
    token: String,
}

#[cacheable(skip(runs), companions = false)]
async fn undetected(runs: &Runs) -> Undetected {
    runs.next();
    Undetected {
        name: text("a"),
        token: text("t"),
    }
}

/// The process that stored a value returns the same as all others: the near cache keeps the decoded
/// bytes.
#[tokio::test]
async fn a_near_hit_returns_the_value_that_redis_returns() {
    let server = RedisServer::start();
    let build = || {
        let builder = Cache::builder().redis(server.url()).near_cache(1 << 20);
        builder.response_timeout(tests::PATIENCE).build().unwrap()
    };
    let (filler, other) = (build(), build());
    let runs = Runs::default();
    // The first entry is in the near cache only once its connection tracks keys.
    for round in 0..3 {
        filler.blocking().clear().unwrap();
        let computed = filler.scope(undetected(&runs)).await;
        assert_eq!(computed.token, "t");
        let (near, far) = (
            filler.scope(undetected(&runs)).await,
            other.scope(undetected(&runs)).await,
        );
        assert_eq!((near.token, near.name), (far.token, far.name), "{round}");
    }
}

#[test]
fn setting_a_value_that_serde_would_change_is_an_error() {
    let server = RedisServer::start();
    let mut caches = caches_of_bytes(&server);
    caches.push((text("memory"), Cache::builder().build().unwrap()));
    for (store, cache) in caches {
        let blocking = cache.blocking();
        let refused = |result: Result<(), CacheError>, part: &str| match result {
            Err(error @ CacheError::Changed { .. }) => {
                assert!(error.to_string().contains(part), "{store}: {error}");
            }
            other => panic!("{store}: {part}: {other:?}"),
        };
        let post = SkipsDeserializing {
            id: 7,
            title: text("a"),
        };
        refused(blocking.set("a", &post, 60), "`id` of `SkipsDeserializing`");
        refused(blocking.set_many([("a", post.clone())], 60), "`id` of");
        refused(blocking.set("a", &[post.clone()][..], 60), "`id` of");
        let user = SkipsSerializing {
            name: text("a"),
            password_hash: text("h"),
        };
        refused(
            blocking.set("a", &user, 60),
            "`password_hash` of `SkipsSerializing`",
        );
        assert!(!blocking.exists("a").unwrap());
        blocking
            .set("a", &SkipsDeserializing { id: 0, ..post }, 60)
            .unwrap();
        assert!(blocking.exists("a").unwrap());
        let given = blocking.get_or_set("b", 60, || user.clone());
        assert_eq!(given.password_hash, "h");
        // Computed values are kept in memory unchanged.
        assert_eq!(blocking.exists("b").unwrap(), store == "memory");
    }
}

/// Computed values are kept in memory unchanged. A build with debug assertions logs that Redis
/// would not store them.
#[test]
fn memory_keeps_such_a_value_and_debug_builds_log_it_once() {
    #[cacheable(skip(runs), companions = false)]
    fn skips(runs: &Runs) -> Skips {
        runs.next();
        Skips {
            name: text("a"),
            token: text("t"),
        }
    }
    let cache = Cache::builder().build().unwrap();
    let runs = Runs::default();
    let events = events_of(Level::WARN, || {
        cache.scope_sync(|| {
            for _ in 0..2 {
                assert_eq!(skips(&runs).token, "t");
            }
        });
        cache.blocking().clear().unwrap();
        cache.scope_sync(|| assert_eq!(skips(&runs).token, "t"));
    });
    assert_eq!(runs.count(), 2);
    let said: Vec<_> = events.iter().map(|event| &event.op[..]).collect();
    let expected: &[&str] = if cfg!(debug_assertions) {
        &["memory_only"]
    } else {
        &[]
    };
    assert_eq!(said, expected);
    assert_eq!(cache.stats().errors, 0);
}

#[cacheable(
    key = "pages:<<id>>",
    skip(runs),
    companions = false,
    version = 3,
    cache_none
)]
fn page(id: u32, runs: &Runs) -> Option<(u32, String)> {
    let run = runs.next();
    (id > 0).then(|| (run, text("page")))
}

/// Versions, cached `None`s, TTLs and conversions work as for entries that are values.
#[test]
fn entries_in_memory_that_are_bytes_behave_like_others() {
    let cache = Cache::builder().memory_as_bytes(true).build().unwrap();
    let runs = Runs::default();
    for _ in 0..3 {
        assert_eq!(cache.scope_sync(|| page(1, &runs)), Some((1, text("page"))));
        assert_eq!(cache.scope_sync(|| page(0, &runs)), None);
    }
    let stats = cache.stats();
    assert_eq!(
        (runs.count(), stats.hits, stats.misses, stats.fills),
        (2, 4, 2, 2)
    );
    let read = cache.blocking().get::<(u32, String)>("pages:1").unwrap();
    assert_eq!(read, Some((1, text("page"))));
    assert_eq!(cache.blocking().delete_pattern("pages:*").unwrap(), 2);
    assert_eq!(cache.scope_sync(|| page(1, &runs)), Some((3, text("page"))));
}

/// The stored entry is bytes, so waiters have to decode it.
#[tokio::test]
async fn waiters_decode_a_value_stored_as_bytes() {
    #[cacheable(skip(runs), companions = false)]
    async fn slow(runs: &Runs) -> String {
        runs.next();
        tokio::task::yield_now().await;
        text("slow")
    }
    let cache = Cache::builder().memory_as_bytes(true).build().unwrap();
    let runs = Runs::default();
    let calls = (0..10).map(|_| cache.scope(slow(&runs)));
    for given in futures_util::future::join_all(calls).await {
        assert_eq!(given, "slow");
    }
    assert_eq!(runs.count(), 1);
}
