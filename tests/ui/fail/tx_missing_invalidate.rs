#![allow(unused_variables)]
use cache_runtime::invalidate;

struct Transaction<'c, DB>(&'c DB);
struct PgConnection;
struct Postgres;

mod sqlx {
    pub(crate) type SqliteTransaction<'c> = super::Transaction<'c, u8>;
}

#[invalidate(patterns = ["posts:<<slug>>:*"])]
async fn rename(tx: &mut Transaction<'_, Postgres>, slug: &str) {}

#[invalidate(patterns = ["posts:<<slug>>:*"], when = "always")]
async fn rename_on(r#type: &mut PgConnection, slug: &str) {}

#[invalidate(patterns = ["posts:<<slug>>:*"])]
fn rename_in_option(conn: Option<Box<sqlx::SqliteTransaction<'_>>>, slug: &str) {}

// One error says it for both.
#[invalidate(patterns = ["posts:<<slug>>:*"])]
#[invalidate(patterns = ["lists:*"], when = "always")]
async fn stacked(tx: &mut Transaction<'_, Postgres>, slug: &str) {}

// The other one has a `tx`.
#[invalidate(patterns = ["posts:<<slug>>:*"], tx = none)]
#[invalidate(patterns = ["lists:*"])]
async fn one_of_two(tx: &mut Transaction<'_, Postgres>, slug: &str) {}

// No transaction is seen in these.
#[invalidate(patterns = ["payments:*"])]
fn import(payments: Vec<Transaction<'_, u8>>) {}

fn main() {}
