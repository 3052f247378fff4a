use cache_runtime::cacheable;
use std::collections::HashMap;

#[cacheable(key = "a:<<id>>", each = ids, stale = "1m", refresh = "caller", early)]
fn stale(ids: &[u32]) -> HashMap<u32, u32> {
    ids.iter().map(|id| (*id, 1)).collect()
}

#[cacheable(key = "b:<<id>>", each = ids, ttl = |value| u64::from(*value), unless = |value| *value == 0)]
fn over_value(ids: &[u32]) -> Vec<u32> {
    ids.to_vec()
}

#[cacheable(key = "c:<<id>>", each = ids, stale_if_error = "1h", detached)]
async fn detached(ids: Vec<u32>) -> Result<Vec<u32>, String> {
    Ok(ids)
}

fn main() {
    let _ = (stale(&[1]), over_value(&[1]));
    drop(detached(vec![1]));
}
