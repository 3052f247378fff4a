//! The wrapper for rusqlite.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use cache_runtime::{Cache, Transactional, cacheable};
use cache_sql::rusqlite::{Db, Transaction};
use rusqlite::{Connection, DropBehavior, Error, TransactionBehavior};
use tests::{Fault, PATIENCE, Proxy, RedisServer, until_blocking};

use crate::databases::Folder;

struct Fixture {
    cache: Cache,
    db: Db,
    connection: Connection,
    folder: Folder,
}

impl Fixture {
    fn create() -> Self {
        Self::create_with(Cache::builder().build().expect("a memory cache"))
    }

    fn create_with(cache: Cache) -> Self {
        let folder = Folder::create();
        let connection = Connection::open(folder.file("db")).expect("the folder is writable");
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE posts (slug TEXT PRIMARY KEY, likes INT NOT NULL);
                 CREATE TABLE comments (slug TEXT REFERENCES posts (slug)
                     DEFERRABLE INITIALLY DEFERRED);
                 INSERT INTO posts VALUES ('a', 1)",
            )
            .expect("the database is empty");
        cache.blocking().set("posts:a", &1, 600).expect("stored");
        Self {
            db: Db::new(&cache),
            cache,
            connection,
            folder,
        }
    }

    fn is_cached(&self) -> bool {
        let exists = self.cache.blocking().exists("posts:a");
        exists.expect("the cache answers")
    }

    fn likes(&self, slug: &str) -> Option<i64> {
        likes_in(&self.connection, slug).ok()
    }
}

fn likes_in(connection: &Connection, slug: &str) -> Result<i64, Error> {
    let query = "SELECT likes FROM posts WHERE slug = ?";
    connection.query_row(query, [slug], |row| row.get(0))
}

#[cacheable(key = "seen:<<slug>>", ttl = 600, skip(connection))]
fn likes_seen_by(connection: &Connection, slug: &str) -> Result<i64, Error> {
    likes_in(connection, slug)
}

fn like(tx: &Transaction<'_>, slug: &str, likes: i64) -> Result<(), Error> {
    tx.execute("UPDATE posts SET likes = ? WHERE slug = ?", (likes, slug))?;
    tx.invalidations().add(&format!("posts:{slug}:*"));
    Ok(())
}

fn insert(tx: &Transaction<'_>, slug: &str) -> Result<(), Error> {
    tx.execute("INSERT INTO posts VALUES (?, 1)", [slug])?;
    tx.invalidations().add(&format!("posts:{slug}"));
    Ok(())
}

#[test]
fn a_commit_invalidates_and_a_rollback_does_not() {
    let mut fixture = Fixture::create();
    let tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    like(&tx, "a", 2).expect("updated");
    tx.rollback().expect("rolled back");
    let behavior = TransactionBehavior::Immediate;
    let begun = fixture
        .db
        .begin_with_behavior(&mut fixture.connection, behavior);
    let tx = begun.expect("it begins");
    like(&tx, "a", 2).expect("updated");
    drop(tx);
    assert_eq!(fixture.likes("a"), Some(1));
    assert!(fixture.is_cached());

    let tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    like(&tx, "a", 2).expect("updated");
    let invalidations = tx.invalidations().clone();
    tx.commit().expect("committed");
    assert_eq!(fixture.likes("a"), Some(2));
    assert!(!fixture.is_cached());
    assert!(!invalidations.is_open());
}

#[test]
fn a_wrapped_transaction_is_rolled_back_when_dropped() {
    let mut fixture = Fixture::create();
    let mut begun = fixture.connection.transaction().expect("it begins");
    begun.set_drop_behavior(DropBehavior::Commit);
    let tx = fixture.db.wrap(begun);
    like(&tx, "a", 2).expect("updated");
    drop(tx);
    assert_eq!(fixture.likes("a"), Some(1));
    assert!(fixture.is_cached());
}

#[test]
fn savepoints_take_their_patterns_with_them() {
    let mut fixture = Fixture::create();
    let mut tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    insert(&tx, "b").expect("inserted");
    let mut first = tx.savepoint().expect("SAVEPOINT");
    insert(&first, "c").expect("inserted");
    let mut second = first.savepoint().expect("SAVEPOINT");
    insert(&second, "d").expect("inserted");
    let third = second.savepoint().expect("SAVEPOINT");
    insert(&third, "e").expect("inserted");
    third.commit().expect("RELEASE");
    drop(second);
    first.commit().expect("RELEASE");
    let fourth = tx.savepoint().expect("SAVEPOINT");
    insert(&fourth, "f").expect("inserted");
    fourth.rollback().expect("ROLLBACK TO");
    assert_eq!(tx.invalidations().patterns(), ["posts:b", "posts:c"]);
    tx.commit().expect("committed");
    for (slug, likes) in [
        ("b", Some(1)),
        ("c", Some(1)),
        ("d", None),
        ("e", None),
        ("f", None),
    ] {
        assert_eq!(fixture.likes(slug), likes, "{slug}");
    }
}

#[test]
fn the_closure_form_runs_uncached() {
    let mut fixture = Fixture::create();
    let Fixture {
        cache,
        db,
        connection,
        ..
    } = &mut fixture;
    cache.scope_sync(|| {
        let refused: Result<(), Error> = db.transaction(connection, |tx| {
            like(tx, "a", 99)?;
            assert_eq!(likes_seen_by(tx, "a")?, 99);
            Err(Error::InvalidQuery)
        });
        assert!(matches!(refused, Err(Error::InvalidQuery)), "{refused:?}");
        assert_eq!(
            cache.stats().entries,
            1,
            "nothing was filled or invalidated"
        );
        let committed = db.transaction(connection, |tx| {
            like(tx, "a", 2)?;
            let savepoint = tx.savepoint()?;
            like(&savepoint, "a", 3)?;
            savepoint.commit()?;
            likes_seen_by(tx, "a")
        });
        assert_eq!(committed.expect("committed"), 3);
        assert_eq!(cache.stats().entries, 0);
    });
    assert_eq!(fixture.likes("a"), Some(3));
}

#[test]
fn a_panic_rolls_back() {
    let mut fixture = Fixture::create();
    let Fixture { db, connection, .. } = &mut fixture;
    let run = || {
        db.transaction(connection, |tx| {
            like(tx, "a", 2)?;
            if tx.invalidations().is_open() {
                panic!("on purpose");
            }
            Ok::<_, Error>(())
        })
    };
    catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
    assert_eq!(fixture.likes("a"), Some(1));
    assert!(fixture.is_cached());
}

#[test]
fn a_commit_refused_by_a_foreign_key_invalidates_nothing() {
    let mut fixture = Fixture::create();
    let tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    like(&tx, "a", 2).expect("updated");
    let insert = "INSERT INTO comments VALUES ('nowhere')";
    tx.execute_batch(insert).expect("checked later");
    tx.commit().expect_err("the foreign key is violated");
    assert_eq!(fixture.likes("a"), Some(1));
    assert!(fixture.is_cached());
}

/// A reader holds its lock while COMMIT needs the file alone, without a write-ahead log.
#[test]
fn a_busy_commit_invalidates_nothing() {
    let mut fixture = Fixture::create();
    fixture
        .connection
        .busy_timeout(Duration::ZERO)
        .expect("set");
    let reader = Connection::open(fixture.folder.file("db")).expect("it is there");
    reader.execute_batch("BEGIN").expect("it begins");
    assert_eq!(likes_in(&reader, "a"), Ok(1));
    let tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    like(&tx, "a", 2).expect("updated");
    let busy = tx.commit().expect_err("the reader holds its lock");
    let code = busy.sqlite_error_code();
    assert_eq!(code, Some(rusqlite::ErrorCode::DatabaseBusy), "{busy}");
    drop(reader);
    assert_eq!(fixture.likes("a"), Some(1));
    assert!(fixture.is_cached());
}

/// The transaction has ended behind the wrapper's back.
#[test]
fn a_commit_with_another_error_invalidates() {
    let mut fixture = Fixture::create();
    let tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    like(&tx, "a", 2).expect("updated");
    tx.execute_batch("COMMIT").expect("committed");
    tx.commit().expect_err("there is no transaction");
    assert_eq!(fixture.likes("a"), Some(2));
    assert!(!fixture.is_cached());
}

#[test]
fn the_patterns_are_invalidated_again_after_the_settle_time() {
    let mut fixture = Fixture::create();
    let db = fixture.db.clone().settle(Duration::from_millis(100));
    let tx = db.begin(&mut fixture.connection).expect("it begins");
    like(&tx, "a", 2).expect("updated");
    tx.commit().expect("committed");
    assert!(!fixture.is_cached());
    let blocking = fixture.cache.blocking();
    blocking.set("posts:a", &1, 600).expect("a replica lags");
    until_blocking("it is invalidated again", || !fixture.is_cached());
}

#[test]
fn a_commit_blocks_until_redis_has_invalidated() {
    let server = RedisServer::start();
    let proxy = Proxy::before(server.port());
    let builder = Cache::builder()
        .redis(proxy.url())
        .response_timeout(PATIENCE);
    let mut fixture = Fixture::create_with(builder.build().expect("a cache on Redis"));
    proxy.set(Fault::Delay(Duration::from_millis(50)));
    let tx = fixture
        .db
        .begin(&mut fixture.connection)
        .expect("it begins");
    like(&tx, "a", 2).expect("updated");
    tx.commit().expect("committed");
    assert!(!fixture.is_cached());
}
