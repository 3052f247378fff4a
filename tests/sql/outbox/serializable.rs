//! Serializable transactions get no failure from the outbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_runtime::Transactional;
use cache_sql::Db;
use sqlx::Postgres;

use crate::databases::{Fixture, TestDatabase, on_each_database};
use crate::support::in_memory;

const WRITERS: usize = 4;
const WRITES: usize = 40;

on_each_database!(serializable_transactions_do_not_conflict_in_the_outbox);

async fn serializable_transactions_do_not_conflict_in_the_outbox<DB: TestDatabase>(
    fixture: Fixture<DB>,
) {
    let (_, db) = in_memory(&fixture).await;
    write_while_relays_run(&fixture, &db).await;
}

/// Not even if that is the default of relays, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_may_be_serializable_by_default() {
    let fixture = Fixture::<Postgres>::create().await;
    let (cache, _) = in_memory(&fixture).await;
    let (_, name) = fixture.url.rsplit_once('/').expect("it ends with a name");
    let alter = format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'");
    fixture.run(&alter).await;
    let pool = Postgres::connect(&fixture.url).await;
    let db = Db::new(&cache, pool)
        .with_outbox()
        .outbox_delay(Duration::ZERO);
    write_while_relays_run(&fixture, &db).await;
}

/// Each writer has a table of its own, so that they meet in the outbox only.
async fn write_while_relays_run<DB: TestDatabase>(fixture: &Fixture<DB>, db: &Db<DB>) {
    for writer in 0..WRITERS {
        fixture
            .run(&format!("CREATE TABLE own_{writer} (n BIGINT)"))
            .await;
        fixture
            .run(&format!("INSERT INTO own_{writer} VALUES (0)"))
            .await;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let relays: Vec<_> = (0..2)
        .map(|_| {
            let (db, is_over) = (db.clone(), Arc::clone(&is_over));
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    db.relay_once().await.expect("relayed");
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = db.clone();
            tokio::spawn(async move {
                for n in 0..WRITES {
                    write(&db, writer).await.unwrap_or_else(|error| {
                        panic!("write {n} of writer {writer} fails: {error}")
                    });
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no write fails");
    }
    is_over.store(true, Ordering::Relaxed);
    for relay in relays {
        relay.await.expect("no relay fails");
    }
}

async fn write<DB: TestDatabase>(db: &Db<DB>, writer: usize) -> Result<(), sqlx::Error> {
    let mut tx = db.begin_with(DB::BEGIN_SERIALIZABLE).await?;
    let read = format!("SELECT n FROM own_{writer}");
    let n = DB::number(tx.as_mut(), read).await?.expect("one row");
    let update = format!("UPDATE own_{writer} SET n = {}", n + 1);
    DB::run(tx.as_mut(), update).await?;
    tx.invalidations().add(&format!("own:{writer}"));
    tx.commit().await
}
