use cache_runtime::cacheable;

#[cacheable(key = "posts:<<ids..>>")]
fn posts(ids: &[u32]) -> usize {
    ids.len()
}

fn main() {
    let _ = posts(&[1]);
}
