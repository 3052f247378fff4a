#![allow(unused_variables)]
use cache_runtime::{cacheable, invalidate};

struct Transaction;

#[invalidate(patterns = ["posts:<<slug>>:*"], tx = "tx")]
async fn rename(tx: &mut Transaction, slug: &str) {}

#[cacheable(key = "posts:<<slug>>", tx, skip(tx))]
fn get_post(tx: &Transaction, slug: &str) -> String {
    slug.to_owned()
}

#[cacheable(key = "posts:<<slug>>", tx = |tx| tx, skip(tx))]
fn get_post_again(tx: &Transaction, slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
