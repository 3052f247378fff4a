#![allow(unused_variables)]
use cache_runtime::{cacheable, invalidate};

struct Transaction;

// Every mistake is reported.
#[cacheable(key = "posts:<<slgu>>")]
#[invalidate(patterns = ["lists:*"])]
async fn get_post(tx: &mut Transaction, slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
