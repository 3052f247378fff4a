use cache_runtime::cacheable;
use std::collections::HashMap;

#[cacheable(key = "posts:<<id>>", each = ids)]
fn sum(ids: &[u32]) -> Result<u32, String> {
    Ok(ids.iter().sum())
}

#[cacheable(key = "posts:<<id>>", each = ids)]
fn perhaps(ids: &[u32]) -> Option<HashMap<u32, u32>> {
    ids.first().map(|id| HashMap::from([(*id, 1)]))
}

fn main() {
    let _ = (sum(&[1]), perhaps(&[1]));
}
