use cache_runtime::cacheable;

#[cacheable(key = "posts:<<id>>", each = ids)]
fn sum(ids: &[u32]) -> u32 {
    ids.iter().sum()
}

fn main() {
    let _ = sum(&[1]);
}
