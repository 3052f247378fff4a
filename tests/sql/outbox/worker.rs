//! A process of the outbox's tests: it commits, and is killed or exits.
//!
//! `outbox-worker DATABASE URL REDIS LIKES SLUG..` sets the likes of each post, in a transaction for
//! each. It reports that it is ready, and waits for a line, before the first.
#![allow(missing_docs)]

use std::env::args;
use std::io::{BufRead, stdin};

use cache_runtime::{Cache, Transactional};
use cache_sql::Db;
use sql_tests::databases::{TestDatabase, set_likes};
use sqlx::{MySql, Postgres, Sqlite};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    let [database, url, redis, likes, slugs @ ..] = &arguments[..] else {
        panic!("arguments are missing: {arguments:?}");
    };
    let likes = likes.parse().expect("a number");
    match &database[..] {
        Sqlite::TITLE => work::<Sqlite>(url, redis, likes, slugs).await,
        Postgres::TITLE => work::<Postgres>(url, redis, likes, slugs).await,
        MySql::TITLE => work::<MySql>(url, redis, likes, slugs).await,
        other => panic!("no such database: {other}"),
    }
}

async fn work<DB: TestDatabase>(url: &str, redis: &str, likes: i64, slugs: &[String]) {
    let cache = Cache::builder().prefix("blog").redis(redis).build();
    let cache = cache.expect("a cache");
    let db = Db::new(&cache, DB::connect(url).await).with_outbox();
    // Its connection is open from now on, unless Redis is away.
    let _ = cache.delete_pattern("nothing").await;
    println!("ready");
    let mut line = String::new();
    stdin()
        .lock()
        .read_line(&mut line)
        .expect("the test writes");
    for slug in slugs {
        let mut tx = db.begin().await.expect("it begins");
        let updated = set_likes::<DB>(tx.as_mut(), slug, likes);
        updated.await.expect("updated");
        tx.invalidations().add(&format!("posts:{slug}:*"));
        tx.commit().await.expect("committed");
    }
}
