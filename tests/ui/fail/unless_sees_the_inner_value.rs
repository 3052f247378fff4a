use cache_runtime::cacheable;

#[cacheable(key = "counts:<<id>>", unless = |v: &Option<u32>| v.is_none())]
fn count(id: u32) -> Option<u32> {
    Some(id)
}

#[cacheable(key = "sums:<<id>>", unless = |v: &Result<Option<u32>, String>| v.is_err())]
fn sum(id: u32) -> Result<Option<u32>, String> {
    Ok(Some(id))
}

#[cacheable(key = "lives:<<id>>", ttl = |v: &Option<u64>| v.unwrap_or(1))]
fn lifetime(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {
    let _ = (count(1), sum(1), lifetime(1));
}
