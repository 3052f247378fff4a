//! The near cache under shuttle, a scheduler that explores many interleavings of threads (see
//! `flight::explored`):
//! `RUSTFLAGS="--cfg shuttle" cargo test -p cache-runtime --lib --no-default-features --features redis explored`.
//!
//! The server is a model of one key: it answers in the order of the requests, remembers who has
//! read the key, and announces its change over the connection that carries the replies. Values are
//! its versions.

mod flaws;
mod server;

use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::mpsc::channel;
use shuttle::{Config, Runner};

use crate::entry::{self, CachedValue, Facts};
use crate::store::near::*;
use crate::sync::{LazyLock, thread};
use server::{Message, Server, drive};

const KEY: &str = "posts:1";
const LONG: Duration = Duration::from_secs(86_400);
const MILLIS: u64 = 60_000;

/// Header shared by all entries. Created outside of the exploration.
static HEADER: LazyLock<Header> = LazyLock::new(|| {
    let bytes = entry::encode(
        "value",
        &Facts::default(),
        &entry::Encoding::default(),
        entry::incomparable,
    );
    entry::inspect(&bytes.expect("text is encoded").bytes).expect("it is an entry")
});

fn explore(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) {
    LazyLock::force(&HEADER);
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(scenario);
}

fn explore_widely(scenario: impl Fn() + Send + Sync + Clone + 'static) {
    explore(RandomScheduler::new(4_000), scenario.clone());
    explore(PctScheduler::new(3, 4_000), scenario);
}

/// A process with its near cache, and the server.
#[derive(Clone)]
struct NearWorld {
    near: Arc<NearCache>,
    server: Arc<Mutex<Server>>,
    term: u64,
}

impl NearWorld {
    fn new() -> (Self, thread::JoinHandle<()>) {
        let near = Arc::new(NearCache::new(1 << 20, Eviction::HitRatio));
        let (wire, messages) = channel();
        let server = Server {
            version: 1,
            tracked: false,
            wire,
        };
        let term = near.begin();
        assert!(near.trust(term, near.now(), LONG));
        let world = Self {
            near,
            server: Arc::new(Mutex::new(server)),
            term,
        };
        let driver = thread::spawn({
            let near = Arc::clone(&world.near);
            move || drive(&near, term, &messages)
        });
        (world, driver)
    }

    fn note(&self) -> Option<Note> {
        self.near.note(&KEY.into(), self.term)
    }

    /// Read the version from the server, tracked.
    fn ask(&self) -> u64 {
        let (reply, answer) = channel();
        let mut server = lock(&self.server);
        server.tracked = true;
        let version = server.version;
        let _ = server.wire.send(Message::Reply(reply, version));
        drop(server);
        answer.recv().expect("the driver lives")
    }

    /// Read after a miss.
    fn fetch(&self) {
        if let Some(note) = self.note() {
            let version = self.ask();
            note.enter(&HEADER, MILLIS, 8, payload(version));
        }
    }

    /// Fill after a refresh: a new version over the tracked connection, which the server doesn't
    /// announce to it.
    fn fill(&self) -> u64 {
        let Some(note) = self.note() else {
            return 0;
        };
        let (reply, answer) = channel();
        let mut server = lock(&self.server);
        server.version += 1;
        server.tracked = true;
        let version = server.version;
        let _ = server.wire.send(Message::Reply(reply, version));
        drop(server);
        let version = answer.recv().expect("the driver lives");
        note.replace(&HEADER, MILLIS, 8, payload(version));
        version
    }

    /// Change the key over another connection, of this process or another; return when the server
    /// has answered.
    fn change(&self) -> u64 {
        let mut server = lock(&self.server);
        server.version += 1;
        server.tell();
        server.version
    }

    /// Invalidate in this process: void after the answer and before returning. Later reads must not
    /// find older values.
    fn invalidate(&self, void: impl Fn(&NearCache)) {
        let version = self.change();
        void(&self.near);
        self.finds_nothing_older_than(version);
    }

    /// Return the value in the near cache, without fetching.
    fn found(&self) -> Option<u64> {
        let (entries, now) = self.near.usable()?;
        let hit = entries.get(KEY, now)?;
        match hit.payload.share::<u64>(0, 0)? {
            CachedValue::Value(version) => Some(*version),
            CachedValue::None => None,
        }
    }

    #[track_caller]
    fn finds_nothing_older_than(&self, version: u64) {
        if let Some(found) = self.found() {
            assert!(found >= version, "stale: {found} after {version}");
        }
    }

    /// Check, once every message is processed, that the near cache agrees with the server.
    fn settle(self, driver: thread::JoinHandle<()>) {
        let version = {
            let mut server = lock(&self.server);
            // Drop the last sender: the driver ends when it has processed all messages.
            server.wire = channel().0;
            server.version
        };
        driver.join().expect("no panic");
        if let Some(found) = self.found() {
            assert_eq!(found, version, "the entry stays stale");
        }
        let notes: usize = self.near.notes.iter().map(|shard| lock(shard).len()).sum();
        assert_eq!(notes, 0, "no note is left");
        self.near.entries.assert_consistent();
    }
}

fn payload(version: u64) -> Payload {
    Payload::typed(Arc::new(version))
}

/// Run all acts concurrently, to the end, and check the result.
fn together(acts: &[fn(&NearWorld)]) {
    let (world, driver) = NearWorld::new();
    let threads: Vec<_> = acts
        .iter()
        .map(|act| {
            let (world, act) = (world.clone(), *act);
            thread::spawn(move || act(&world))
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    world.settle(driver);
}

fn twice(world: &NearWorld) {
    world.fetch();
    world.fetch();
}

fn by_key(world: &NearWorld) {
    world.invalidate(|near| drop(near.void(KEY)));
}

fn by_pattern(world: &NearWorld) {
    world.invalidate(|near| near.void_matching(&Pattern::new("posts:*")));
}

fn elsewhere(world: &NearWorld) {
    world.change();
}

fn filled(world: &NearWorld) {
    // A caller that has refreshed reads nothing older afterwards.
    let version = world.fill();
    world.finds_nothing_older_than(version);
}

#[test]
fn no_value_is_stale_after_changes_in_another_process() {
    explore_widely(|| together(&[twice, NearWorld::fetch, elsewhere]));
    explore_widely(|| {
        together(&[twice, |world| {
            elsewhere(world);
            elsewhere(world);
        }])
    });
}

#[test]
fn no_value_is_stale_after_invalidations_of_this_process() {
    explore_widely(|| together(&[twice, NearWorld::fetch, by_key]));
    explore_widely(|| together(&[twice, NearWorld::fetch, by_pattern]));
    explore_widely(|| together(&[twice, by_key, by_pattern, elsewhere]));
}

#[test]
fn no_value_is_stale_after_fills_and_changes() {
    explore_widely(|| together(&[twice, filled]));
    explore_widely(|| together(&[NearWorld::fetch, filled, filled, elsewhere]));
    explore_widely(|| together(&[twice, filled, by_pattern]));
}

/// The term ends while others fetch and change; another begins over a new connection.
#[test]
fn no_value_is_stale_after_a_new_connection() {
    fn flushed(world: &NearWorld) {
        let mut server = lock(&world.server);
        server.version += 1;
        server.tracked = false;
        let _ = server.wire.send(Message::Flushed);
    }
    explore_widely(|| together(&[twice, NearWorld::fetch, flushed]));
    explore_widely(|| together(&[twice, by_pattern, flushed]));
    explore_widely(|| {
        together(&[twice, |world| {
            // A change goes unannounced while the connection is down; then a new term begins.
            let mut server = lock(&world.server);
            server.tracked = false;
            drop(server);
            drop(world.near.end(world.term));
            elsewhere_untold(world);
            let next = world.near.begin();
            world.near.trust(next, world.near.now(), LONG);
            let again = NearWorld {
                term: next,
                ..world.clone()
            };
            again.finds_nothing_older_than(lock(&world.server).version);
            again.fetch();
        }])
    });
}

fn elsewhere_untold(world: &NearWorld) {
    let mut server = lock(&world.server);
    server.version += 1;
    server.tracked = false;
}
