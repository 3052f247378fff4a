//! A jitter that leaves no lifetime.

use cache_runtime::cacheable;

#[cacheable(key = "a", jitter = 1.0)]
async fn whole() -> u32 {
    1
}

#[cacheable(key = "b", jitter = -0.1)]
async fn negative() -> u32 {
    1
}

#[cacheable(key = "c", jitter = "10%")]
async fn text() -> u32 {
    1
}

fn main() {}
