//! `crate = path` for a renamed dependency; one mention serves all attributes of a function.
mod renamed {
    pub use cache_runtime as cache;
}

#[renamed::cache::cacheable(key = "posts:<<id>>", crate = renamed::cache)]
async fn get(id: u64) -> u64 {
    id
}

#[renamed::cache::invalidate(patterns = ["posts:<<id>>"], crate = crate::renamed::cache)]
fn write(id: u64) {
    let _ = id;
}

#[renamed::cache::cacheable(key = "posts:<<id>>", crate = renamed::cache)]
#[renamed::cache::invalidate(patterns = ["lists:*"])]
fn both(id: u64) -> u64 {
    id
}

fn main() {}
