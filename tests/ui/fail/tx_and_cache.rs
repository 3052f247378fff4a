#![allow(unused_variables)]
use cache_runtime::{Cache, Invalidations, invalidate};

#[invalidate(patterns = ["posts:<<slug>>:*"], cache = cache, tx = tx)]
async fn rename(tx: &Invalidations, cache: &Cache, slug: &str) {}

// It commits by itself.
#[invalidate(patterns = ["posts:<<slug>>:*"], cache = cache, tx = none)]
async fn rename_at_once(tx: &Invalidations, cache: &Cache, slug: &str) {}

fn main() {}
