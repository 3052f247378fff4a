//! One test on three databases.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::Cache;
use cache_sql::{Db, OutboxDatabase};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{AssertSqlSafe, Database, Executor, MySql, Pool, Postgres, Row, Sqlite};

pub use crate::on_each_database;
use crate::{MariaDb, Postgres as PostgresServer};

/// Run each function on a database of its own, as a test, on all three of them.
#[macro_export]
macro_rules! on_each_database {
    ($($name:ident),* $(,)?) => {
        $crate::on_each_database!(@ sqlite sqlx::Sqlite, $($name),*);
        $crate::on_each_database!(@ postgres sqlx::Postgres, $($name),*);
        $crate::on_each_database!(@ mariadb sqlx::MySql, $($name),*);
    };
    (@ $module:ident $database:ty, $($name:ident),*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::databases::Fixture::<$database>::create().await).await;
                }
            )*
        }
    };
}
/// A database with the table `posts(slug, likes)`, and a cache.
pub struct Fixture<DB: Database> {
    /// The cache.
    pub cache: Cache,
    /// The database, whose transactions invalidate in it.
    pub db: Db<DB>,
    /// The URL of the database; the path of SQLite's file.
    pub url: String,
    _folder: Option<Folder>,
}

/// The same few statements on each database.
pub trait TestDatabase: OutboxDatabase<Connection: Sized> {
    /// The name of the database, for the command line of a worker.
    const TITLE: &str;
    /// The statement that begins a serializable transaction.
    const BEGIN_SERIALIZABLE: &str;

    /// Create an empty database. Return its URL, and its folder if it is a file.
    fn create() -> impl Future<Output = (String, Option<Folder>)> + Send;

    /// Connect to it.
    fn connect(url: &str) -> impl Future<Output = Pool<Self>> + Send;

    /// Run a statement.
    fn run(
        connection: &mut Self::Connection,
        statement: String,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Query a number.
    fn number(
        connection: &mut Self::Connection,
        statement: String,
    ) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// Read the likes of a post.
    fn read(
        connection: &mut Self::Connection,
        slug: &str,
    ) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;
}

impl<DB: TestDatabase> Fixture<DB> {
    /// Create a database, whose post `a` has 1 like, and a cache in memory.
    pub async fn create() -> Self {
        let cache = Cache::builder().build().expect("a memory cache");
        Self::create_with(cache).await
    }

    /// Create a database that invalidates in this cache.
    pub async fn create_with(cache: Cache) -> Self {
        let (url, folder) = DB::create().await;
        let pool = DB::connect(&url).await;
        let this = Self {
            db: Db::new(&cache, pool),
            cache,
            url,
            _folder: folder,
        };
        for statement in [
            "CREATE TABLE posts (slug VARCHAR(64) PRIMARY KEY, likes BIGINT NOT NULL)",
            "INSERT INTO posts VALUES ('a', 1)",
        ] {
            this.run(statement).await;
        }
        this
    }

    /// Run a statement that commits by itself.
    pub async fn run(&self, statement: &str) {
        let mut connection = self.db.pool().acquire().await.expect("a connection");
        let ran = DB::run(&mut connection, statement.to_owned()).await;
        ran.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Read the committed likes of a post.
    pub async fn likes(&self, slug: &str) -> Option<i64> {
        committed_likes(self.db.pool(), slug).await
    }

    /// Query a number that is committed.
    pub async fn number(&self, statement: &str) -> i64 {
        let mut connection = self.db.pool().acquire().await.expect("a connection");
        let number = DB::number(&mut connection, statement.to_owned()).await;
        number.expect("it answers").expect("there is a row")
    }

    /// Put `posts:a` into the cache.
    pub async fn fill(&self) {
        self.cache.set("posts:a", &1, 600).await.expect("stored");
    }

    /// Whether `posts:a` is in the cache.
    pub async fn is_cached(&self) -> bool {
        self.cache
            .exists("posts:a")
            .await
            .expect("the cache answers")
    }
}

/// Read the committed likes of a post.
pub async fn committed_likes<DB: TestDatabase>(pool: &Pool<DB>, slug: &str) -> Option<i64> {
    let mut connection = pool.acquire().await.expect("a connection");
    DB::read(&mut connection, slug).await.expect("it answers")
}

/// Set the likes of a post.
pub async fn set_likes<DB: TestDatabase>(
    connection: &mut DB::Connection,
    slug: &str,
    likes: i64,
) -> Result<(), sqlx::Error> {
    let statement = format!("UPDATE posts SET likes = {likes} WHERE slug = '{slug}'");
    DB::run(connection, statement).await
}

macro_rules! test_database {
    ($database:ty, $name:literal, $begin:literal, $create:expr, $connect:expr) => {
        impl TestDatabase for $database {
            const TITLE: &str = $name;
            const BEGIN_SERIALIZABLE: &str = $begin;

            async fn create() -> (String, Option<Folder>) {
                $create.await
            }

            async fn connect(url: &str) -> Pool<Self> {
                $connect(url.to_owned()).await
            }

            async fn run(
                connection: &mut Self::Connection,
                statement: String,
            ) -> Result<(), sqlx::Error> {
                connection.execute(AssertSqlSafe(statement)).await?;
                Ok(())
            }

            async fn read(
                connection: &mut Self::Connection,
                slug: &str,
            ) -> Result<Option<i64>, sqlx::Error> {
                let statement = format!("SELECT likes FROM posts WHERE slug = '{slug}'");
                Self::number(connection, statement).await
            }

            async fn number(
                connection: &mut Self::Connection,
                statement: String,
            ) -> Result<Option<i64>, sqlx::Error> {
                // Not prepared: each text is another one, and MySQL's driver waits for 40 ms when it
                // evicts a prepared statement.
                let query = sqlx::raw_sql(AssertSqlSafe(statement));
                let row = query.fetch_optional(connection).await?;
                row.map(|row| row.try_get(0)).transpose()
            }
        }
    };
}

test_database!(
    Postgres,
    "postgres",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    async { (PostgresServer::shared().create_database().await, None) },
    pool_of
);
test_database!(
    MySql,
    "mariadb",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; START TRANSACTION",
    async { (MariaDb::shared().create_database().await, None) },
    pool_of
);
test_database!(
    Sqlite,
    "sqlite",
    "BEGIN IMMEDIATE",
    create_sqlite(),
    sqlite_pool
);

async fn pool_of<DB: Database>(url: String) -> Pool<DB> {
    let pool = PoolOptions::new().max_connections(8).connect(&url).await;
    pool.expect("the database answers")
}

async fn create_sqlite() -> (String, Option<Folder>) {
    let folder = Folder::create();
    let url = folder.0.join("db").display().to_string();
    (url, Some(folder))
}

async fn sqlite_pool(path: String) -> Pool<Sqlite> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let pool = PoolOptions::new().max_connections(8).connect_with(options);
    pool.await.expect("the file is writable")
}

/// A temporary folder.
pub struct Folder(PathBuf);

impl Folder {
    /// Create an empty folder.
    pub fn create() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cache-sql-file-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary folder is writable");
        Self(path)
    }

    /// Return the path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
