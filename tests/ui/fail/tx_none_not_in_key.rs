#![allow(unused_variables)]
use cache_runtime::cacheable;

struct Transaction;

// Without `tx`, it is an argument like any other.
#[cacheable(key = "posts:<<slug>>", tx = none)]
fn get_post(tx: &Transaction, slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
