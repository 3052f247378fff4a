//! Arguments with the names that the generated code uses inside.
use cache_runtime::{cacheable, invalidate};

#[cacheable(
    key = "shadow:<<w>>:<<value>>:<<lookup>>:<<cache>>",
    skip(write, probe, site)
)]
async fn locals(
    w: u8,
    value: u8,
    lookup: u8,
    cache: u8,
    write: u8,
    probe: u8,
    site: u8,
    part: u8,
    shape: u8,
) -> u8 {
    w + value + lookup + cache + write + probe + site + part + shape
}

#[cacheable]
fn hashed(w: u8, value: u8, lookup: u8, cache: u8, str: &str, u8: u8, r#type: u8) -> usize {
    usize::from(w + value + lookup + cache + u8 + r#type) + str.len()
}

#[cacheable(key = "raw:<<r#type>>")]
fn raw(r#type: u8) -> u8 {
    r#type
}

#[cacheable(key = "results:<<result>>")]
fn result(result: u8) -> u8 {
    result
}

#[invalidate(patterns = ["w:<<w>>:<<result>>", "write0:<<write0>>:<<result>>"])]
async fn write(w: u8, write0: u8, shape0: u8) -> Option<u8> {
    Some(w + write0 + shape0)
}

#[invalidate(patterns = ["results:*"])]
fn argument_called_result(result: u8) -> u8 {
    result
}

fn main() {}
