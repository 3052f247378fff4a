//! The generated code gives no warnings of its own.
#![deny(
    warnings,
    unused,
    rust_2018_idioms,
    nonstandard_style,
    unreachable_pub,
    unused_qualifications,
    missing_docs
)]
use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "posts:<<slug>>", skip(db), ttl = 5, unless = |text| text.is_empty())]
async fn get(db: &str, slug: &str, mut page: u32) -> Option<String> {
    page += 1;
    Some(format!("{db}{slug}{page}"))
}

#[cacheable(companions = false)]
fn unit() {}

#[invalidate(patterns = ["posts:<<slug>>", "posts:<<result>>"])]
async fn write(slug: String) -> Result<String, String> {
    Ok(slug)
}

#[invalidate(patterns = ["posts:*"])]
fn forget() {}

#[expect(unused_variables)]
#[cacheable(key = "expects:<<id>>")]
fn expects(id: u64) -> u64 {
    let unused = id;
    id
}

fn main() {
    let _ = (get("", "", 1), write(String::new()));
    let _ = (unit as fn(), forget as fn(), expects as fn(u64) -> u64);
}
