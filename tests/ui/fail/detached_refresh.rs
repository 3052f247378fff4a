use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>", stale = "1m", refresh = "caller", detached)]
async fn a(id: u32) -> u32 {
    id
}

fn main() {
    let _ = a(1);
}
