//! The wrapper for SeaORM.

use cache_runtime::{Cache, Transactional, cacheable};
use cache_sql::sea_orm::{Db, Transaction};
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveValue, ConnectOptions, Database, IntoActiveModel, TransactionOptions, TransactionTrait,
};
use sql_tests::{MariaDb, Postgres};
use tests::{Fault, Gate, Proxy, soon, until};

use crate::databases::Folder;

mod post {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) slug: String,
        pub(crate) likes: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

struct Fixture {
    cache: Cache,
    db: Db,
    url: String,
    _folder: Option<Folder>,
}

impl Fixture {
    async fn create(url: String, folder: Option<Folder>) -> Self {
        let cache = Cache::builder().build().expect("a memory cache");
        let db = connect(&cache, &url).await;
        let table = "CREATE TABLE posts (slug VARCHAR(64) PRIMARY KEY, likes BIGINT NOT NULL)";
        for statement in [table, "INSERT INTO posts VALUES ('a', 1)"] {
            let ran = db.connection().execute_unprepared(statement).await;
            ran.expect("the database is empty");
        }
        cache.set("posts:a", &1, 600).await.expect("stored");
        Self {
            cache,
            db,
            url,
            _folder: folder,
        }
    }

    async fn sqlite() -> Self {
        let folder = Folder::create();
        let url = format!("sqlite://{}?mode=rwc", folder.file("db").display());
        Self::create(url, Some(folder)).await
    }

    async fn likes(&self, slug: &str) -> Option<i64> {
        let found = post::Entity::find_by_id(slug).one(self.db.connection());
        found.await.expect("it answers").map(|post| post.likes)
    }

    async fn is_cached(&self) -> bool {
        let exists = self.cache.exists("posts:a").await;
        exists.expect("the cache answers")
    }
}

async fn connect(cache: &Cache, url: &str) -> Db {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    Db::new(cache, Database::connect(options).await.expect("it answers"))
}

macro_rules! on_each_database {
    ($($name:ident),* $(,)?) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Fixture::sqlite().await).await;
            }
        )*}
        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let url = super::Postgres::shared().create_database().await;
                super::$name(super::Fixture::create(url, None).await).await;
            }
        )*}
        mod mariadb {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let url = super::MariaDb::shared().create_database().await;
                super::$name(super::Fixture::create(url, None).await).await;
            }
        )*}
    };
}

on_each_database!(
    a_commit_invalidates_and_a_rollback_does_not,
    savepoints_take_their_patterns_with_them,
    the_closure_form_runs_uncached_and_can_be_spawned,
    a_dropped_closure_rolls_back,
    a_commit_that_is_dropped_finishes,
);

async fn like(tx: &Transaction, slug: &str, likes: i64) -> Result<(), DbErr> {
    let found = post::Entity::find_by_id(slug).one(tx).await?;
    let mut post = found.ok_or(DbErr::RecordNotUpdated)?.into_active_model();
    post.likes = ActiveValue::Set(likes);
    post.update(tx).await?;
    tx.invalidations().add(&format!("posts:{slug}:*"));
    Ok(())
}

async fn insert(tx: &Transaction, slug: &str) -> Result<(), DbErr> {
    let post = post::Model {
        slug: slug.to_owned(),
        likes: 1,
    };
    post.into_active_model().insert(tx).await?;
    tx.invalidations().add(&format!("posts:{slug}"));
    Ok(())
}

#[cacheable(key = "seen:<<slug>>", ttl = 600, skip(connection))]
async fn likes_seen_by<C: ConnectionTrait>(
    connection: &C,
    slug: &str,
) -> Result<Option<i64>, DbErr> {
    let found = post::Entity::find_by_id(slug).one(connection).await?;
    Ok(found.map(|post| post.likes))
}

async fn a_commit_invalidates_and_a_rollback_does_not(fixture: Fixture) {
    let tx = fixture.db.begin().await.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    tx.rollback().await.expect("rolled back");
    let tx = fixture.db.begin().await.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    drop(tx);
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);

    let options = TransactionOptions::default();
    let begun = fixture.db.begin_with_options(options).await;
    let tx = begun.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    let invalidations = tx.invalidations().clone();
    tx.commit().await.expect("committed");
    assert_eq!(fixture.likes("a").await, Some(2));
    assert!(!fixture.is_cached().await);
    assert!(!invalidations.is_open());
}

async fn savepoints_take_their_patterns_with_them(fixture: Fixture) {
    let mut tx = fixture.db.begin().await.expect("it begins");
    insert(&tx, "b").await.expect("inserted");
    let mut first = tx.savepoint().await.expect("SAVEPOINT");
    insert(&first, "c").await.expect("inserted");
    let mut second = first.savepoint().await.expect("SAVEPOINT");
    insert(&second, "d").await.expect("inserted");
    let third = second.savepoint().await.expect("SAVEPOINT");
    insert(&third, "e").await.expect("inserted");
    third.commit().await.expect("RELEASE");
    drop(second);
    first.commit().await.expect("RELEASE");
    let fourth = tx.savepoint().await.expect("SAVEPOINT");
    insert(&fourth, "f").await.expect("inserted");
    fourth.rollback().await.expect("ROLLBACK TO");
    // One of SeaORM's own works within.
    let own = TransactionTrait::begin(&tx).await.expect("SAVEPOINT");
    own.commit().await.expect("RELEASE");
    assert_eq!(tx.invalidations().patterns(), ["posts:b", "posts:c"]);
    tx.commit().await.expect("committed");
    for (slug, likes) in [
        ("b", Some(1)),
        ("c", Some(1)),
        ("d", None),
        ("e", None),
        ("f", None),
    ] {
        assert_eq!(fixture.likes(slug).await, likes, "{slug}");
    }
}

/// As a handler of a web framework does: the closure borrows, and the future has to be `Send`.
async fn handler(db: Db, slug: String) -> Result<Option<i64>, DbErr> {
    db.transaction(async |tx| {
        like(tx, &slug, 2).await?;
        let mut savepoint = tx.savepoint().await?;
        like(&savepoint, &slug, 3).await?;
        savepoint.savepoint().await?.commit().await?;
        savepoint.commit().await?;
        likes_seen_by(&*tx, &slug).await
    })
    .await
}

async fn the_closure_form_runs_uncached_and_can_be_spawned(fixture: Fixture) {
    let Fixture { cache, db, .. } = &fixture;
    let call = cache.scope(handler(db.clone(), "a".to_owned()));
    let seen = tokio::spawn(call).await.expect("no panic");
    assert_eq!(seen.expect("committed"), Some(3));
    assert_eq!(
        cache.stats().entries,
        0,
        "one was invalidated, and none was filled"
    );

    cache.set("posts:a", &3, 600).await.expect("stored");
    let refused: Result<(), DbErr> = cache
        .scope(db.transaction(async |tx| {
            like(tx, "a", 99).await?;
            assert_eq!(likes_seen_by(&*tx, "a").await?, Some(99));
            Err(DbErr::Custom("refused".to_owned()))
        }))
        .await;
    assert_eq!(refused, Err(DbErr::Custom("refused".to_owned())));
    assert!(fixture.is_cached().await);
    assert_eq!(cache.stats().entries, 1);
    assert_eq!(fixture.likes("a").await, Some(3));
}

async fn a_dropped_closure_rolls_back(fixture: Fixture) {
    let (db, gate) = (fixture.db.clone(), Gate::new());
    let held = gate.clone();
    let task = tokio::spawn(async move {
        db.transaction(async |tx| {
            like(tx, "a", 2).await?;
            held.pass().await;
            Ok::<_, DbErr>(())
        })
        .await
    });
    gate.reached_by(1).await;
    task.abort();
    assert!(soon(task).await.expect_err("it is dropped").is_cancelled());
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
}

async fn a_commit_that_is_dropped_finishes(fixture: Fixture) {
    let tx = fixture.db.begin().await.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    // One poll, after which the database has nearly always not answered yet.
    tokio::select! {
        biased;
        committed = tx.commit() => committed.expect("committed"),
        () = std::future::ready(()) => {}
    }
    until("the commit finishes", async || {
        fixture.likes("a").await == Some(2) && !fixture.is_cached().await
    })
    .await;
}

#[tokio::test]
async fn a_refused_commit_invalidates_nothing() {
    let fixture = Fixture::sqlite().await;
    let references = "CREATE TABLE comments (slug TEXT REFERENCES posts (slug) \
                      DEFERRABLE INITIALLY DEFERRED)";
    let connection = fixture.db.connection();
    connection
        .execute_unprepared(references)
        .await
        .expect("created");
    let tx = fixture.db.begin().await.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    let insert = "INSERT INTO comments VALUES ('nowhere')";
    tx.execute_unprepared(insert).await.expect("checked later");
    tx.commit().await.expect_err("the foreign key is violated");
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(fixture.is_cached().await);
}

#[tokio::test]
async fn a_commit_whose_reply_is_lost_invalidates() {
    let url = Postgres::shared().create_database().await;
    let fixture = Fixture::create(url, None).await;
    let port = Postgres::shared().port();
    let proxy = Proxy::before(port);
    let through = proxy.url().replace("redis://127.0.0.1:", "");
    let url = fixture
        .url
        .replace(&format!(":{port}/"), &format!(":{through}/"));
    let db = connect(&fixture.cache, &url).await;
    let tx = db.begin().await.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    proxy.set(Fault::Cut);
    tx.commit().await.expect_err("the reply is lost");
    assert!(!fixture.is_cached().await);
}

/// On Postgres SAVEPOINT fails after a failed statement, and SeaORM rolls the transaction back.
#[tokio::test]
async fn a_transaction_that_ended_early_does_not_commit() {
    let url = Postgres::shared().create_database().await;
    let fixture = Fixture::create(url, None).await;
    let mut tx = fixture.db.begin().await.expect("it begins");
    like(&tx, "a", 2).await.expect("updated");
    let failed = tx
        .execute_unprepared("INSERT INTO nowhere VALUES (1)")
        .await;
    failed.expect_err("there is no such table");
    tx.savepoint()
        .await
        .expect_err("the transaction is aborted");
    tx.commit().await.expect_err("there is nothing to commit");
    assert_eq!(fixture.likes("a").await, Some(1));
    assert!(!fixture.is_cached().await, "an invalidation too many");
}
