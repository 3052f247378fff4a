#![allow(unused_variables)]
use cache_runtime::{Cache, Invalidations, write_through};

struct Transaction;

#[write_through(key = "posts:<<slug>>", skip(db), condition = true, time = 60)]
fn of_cacheable(db: &str, slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slug>>", unless = slug.is_empty(), ttl = result.len())]
fn not_closures(slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slug>>")]
async fn untold(tx: &mut Transaction, slug: &str) -> String {
    slug.to_owned()
}

#[write_through(key = "posts:<<slug>>", tx = tx, cache = cache)]
async fn two_caches(tx: &Invalidations, cache: &Cache, slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
