//! Writes past the program, from the trigger to the cache.

use cache_runtime::Cache;
use cache_sql::{Db, Dialect, schema, triggers};
use sql_tests::{MariaDb, Postgres};
use sqlx::{AssertSqlSafe, raw_sql};

use crate::model::Post;

macro_rules! relayed {
    ($name:ident, $database:ty, $dialect:ident, $pool:ident, $url:expr) => {
        #[tokio::test]
        async fn $name() {
            let url = $url;
            let options = sqlx::pool::PoolOptions::<$database>::new().max_connections(1);
            let pool = options.connect(&url).await.expect("the server answers");
            let run = async |sql: &str| {
                let done = raw_sql(AssertSqlSafe(sql.to_owned())).execute(&pool).await;
                done.unwrap_or_else(|error| panic!("{error}, in:\n{sql}"));
            };
            run(&schema(Dialect::$dialect)).await;
            let columns = <sqlx::$pool as crate::database::Database>::COLUMNS;
            run(&format!("CREATE TABLE posts ({columns})")).await;
            let cache = Cache::builder().prefix("blog").build().expect("a cache");
            for statement in triggers::<Post>(Dialect::$dialect, cache.prefix()) {
                run(&statement).await;
            }
            run("INSERT INTO posts (post_slug) VALUES ('old')").await;

            let db = Db::new(&cache, pool.clone()).with_outbox();
            db.relay_once().await.expect("relayed");
            let fill = async || {
                for key in ["posts:old", "posts:new", "posts:list:1", "posts:other"] {
                    cache.set(key, &1, 60).await.expect("stored");
                }
            };
            let left = async || {
                let mut left = Vec::new();
                for key in ["posts:old", "posts:new", "posts:list:1", "posts:other"] {
                    if cache.exists(key).await.expect("known") {
                        left.push(key);
                    }
                }
                left
            };

            // A changed key removes the entries of both.
            fill().await;
            run("UPDATE posts SET post_slug = 'new'").await;
            assert_eq!(left().await.len(), 4);
            assert_eq!(db.relay_once().await.expect("relayed"), 1);
            assert_eq!(left().await, ["posts:other"]);

            // The second update of a row is relayed like the first.
            for id in [1, 2] {
                fill().await;
                run(&format!("UPDATE posts SET id = {id}")).await;
                assert_eq!(db.relay_once().await.expect("relayed"), 1);
                assert_eq!(left().await, ["posts:old", "posts:other"]);
            }
            assert_eq!(db.relay_once().await.expect("relayed"), 0);
        }
    };
}

relayed!(
    writes_past_the_program_are_relayed_in_postgres,
    sqlx::Postgres,
    Postgres,
    PgConnection,
    Postgres::shared().create_database().await
);
relayed!(
    writes_past_the_program_are_relayed_in_sqlite,
    sqlx::Sqlite,
    Sqlite,
    SqliteConnection,
    "sqlite::memory:".to_owned()
);
relayed!(
    writes_past_the_program_are_relayed_in_mariadb,
    sqlx::MySql,
    MySql,
    MySqlConnection,
    MariaDb::shared().create_database().await
);
