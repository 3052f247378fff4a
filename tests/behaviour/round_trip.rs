//! Values that serde doesn't read as it wrote them: returned, never stored, said once.

use cache_runtime::{Cache, CacheBuilder, CacheError, Codec, cacheable};
use serde::{Deserialize, Serialize, Serializer};
use tests::{Event, RedisServer, events_of};
use tracing::Level;

use crate::common::{Runs, on_redis};

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

/// Compares what identifies it, as entities often do.
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

/// Runs a future on this thread, where the events are collected.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Caches whose entries are bytes: on Redis with each codec, compressed, and in memory.
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

/// Each function is called twice on each cache. `runs` is how often its body must have run.
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
fn a_value_that_comes_back_changed_is_returned_and_not_stored_and_said_once() {
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
        masked -> Masked = Masked { secret: text("secret") }, ["Masked`"];
        masked_already -> Masked = Masked { secret: text("***") }, [];
        entity -> Entity = Entity { id: 1, password_hash: text("h") }, ["`password_hash` of `Entity`"];
    }
}
