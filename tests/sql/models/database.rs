//! One connection to a new database, with an outbox, on each kind of database.

use cache_runtime::CacheModel;
use cache_sql::Dialect;
use sql_tests::{MariaDb, Postgres};
use sqlx::{
    AssertSqlSafe, Connection, Error, MySqlConnection, PgConnection, Row as _, SqliteConnection,
    raw_sql,
};

use crate::model::Post;

/// The prefix that the triggers write.
pub(crate) const PREFIX: &str = "blog";

/// A connection that the tests use in the same way on each database.
pub(crate) trait Database: Sized {
    const DIALECT: Dialect;

    /// The columns of `posts`.
    const COLUMNS: &'static str;

    /// Connect to a new database.
    async fn connect() -> Self;

    /// Execute statements without parameters.
    async fn execute(&mut self, sql: &str) -> Result<(), Error>;

    /// Insert a row into `posts`.
    async fn insert(&mut self, post: &Post);

    /// Take the rows of the outbox: the prefix, and the sorted patterns without duplicates.
    async fn take(&mut self) -> Vec<(String, Vec<String>)>;

    /// Connect to a new database with an outbox and the table `posts`.
    async fn with_posts() -> Self {
        let mut database = Self::with_outbox().await;
        let columns = Self::COLUMNS;
        database
            .run(&format!("CREATE TABLE posts ({columns})"))
            .await;
        database.install::<Post>().await;
        database
    }

    async fn with_outbox() -> Self {
        let mut database = Self::connect().await;
        database.run(&cache_sql::schema(Self::DIALECT)).await;
        database
    }

    /// Execute statements that must succeed.
    async fn run(&mut self, sql: &str) {
        let done = self.execute(sql).await;
        done.unwrap_or_else(|error| panic!("{error}, in:\n{sql}"));
    }

    async fn install<M: CacheModel>(&mut self) {
        for statement in cache_sql::triggers::<M>(Self::DIALECT, PREFIX) {
            self.run(&statement).await;
        }
    }

    /// Take the patterns of the outbox, one list for each row.
    async fn patterns(&mut self) -> Vec<Vec<String>> {
        let rows = self.take().await;
        rows.into_iter()
            .map(|(prefix, patterns)| {
                assert_eq!(prefix, PREFIX);
                patterns
            })
            .collect()
    }
}

macro_rules! database {
    ($connection:ty, $dialect:ident, $columns:literal, $insert:literal, $connect:expr) => {
        impl Database for $connection {
            const DIALECT: Dialect = Dialect::$dialect;
            const COLUMNS: &'static str = $columns;

            async fn connect() -> Self {
                $connect.await
            }

            async fn execute(&mut self, sql: &str) -> Result<(), Error> {
                let sql = AssertSqlSafe(sql.to_owned());
                raw_sql(sql).execute(self).await.map(drop)
            }

            async fn insert(&mut self, post: &Post) {
                let done = sqlx::query($insert)
                    .bind(post.id)
                    .bind(&post.slug)
                    .bind(post.author)
                    .bind(post.is_new)
                    .bind(post.token)
                    .execute(self)
                    .await;
                done.unwrap_or_else(|error| panic!("{error}, for {post:?}"));
            }

            async fn take(&mut self) -> Vec<(String, Vec<String>)> {
                let select = "SELECT prefix, patterns FROM cache_outbox WHERE source = 'trigger' \
                              ORDER BY id";
                let rows = sqlx::query(select).fetch_all(&mut *self).await;
                let rows = rows.expect("the outbox");
                self.run("DELETE FROM cache_outbox").await;
                let read = |row: &_| {
                    let row: &<<$connection as Connection>::Database as sqlx::Database>::Row = row;
                    let text: String = row.get(1);
                    let mut patterns: Vec<String> = text.split('\n').map(str::to_owned).collect();
                    patterns.sort_unstable();
                    patterns.dedup();
                    (row.get(0), patterns)
                };
                rows.iter().map(read).collect()
            }
        }
    };
}

database!(
    PgConnection,
    Postgres,
    "id BIGINT, post_slug TEXT, author BIGINT, is_new BOOLEAN, token UUID",
    "INSERT INTO posts VALUES ($1, $2, $3, $4, $5)",
    async {
        let url = Postgres::shared().create_database().await;
        connect_to(&url).await
    }
);
database!(
    SqliteConnection,
    Sqlite,
    "id INTEGER, post_slug TEXT COLLATE NOCASE, author INTEGER, is_new BOOLEAN, token BLOB",
    "INSERT INTO posts VALUES (?, ?, ?, ?, ?)",
    connect_to("sqlite::memory:")
);
database!(
    MySqlConnection,
    MySql,
    "id BIGINT, post_slug LONGTEXT, author BIGINT, is_new BOOLEAN, token BINARY(16)",
    "INSERT INTO posts VALUES (?, ?, ?, ?, ?)",
    async {
        let url = MariaDb::shared().create_database().await;
        connect_to(&url).await
    }
);

async fn connect_to<C: Connection>(url: &str) -> C {
    C::connect(url).await.expect("the server answers")
}

/// Run a test on each database.
macro_rules! on_each_database {
    ($($name:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name::<sqlx::PgConnection>().await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name::<sqlx::SqliteConnection>().await;
            })+
        }
        mod mariadb {
            $(#[tokio::test]
            async fn $name() {
                super::$name::<sqlx::MySqlConnection>().await;
            })+
        }
    };
}
pub(crate) use on_each_database;
