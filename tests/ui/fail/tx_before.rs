#![allow(unused_variables)]
use cache_runtime::{Invalidations, invalidate};

#[invalidate(patterns = ["posts:<<slug>>:*"], when = "before", tx = tx)]
async fn rename(tx: &Invalidations, slug: &str) {}

// It commits by itself.
#[invalidate(patterns = ["posts:<<slug>>:*"], when = "before", tx = none)]
async fn rename_at_once(tx: &Invalidations, slug: &str) {}

fn main() {}
