use cache_runtime::cacheable;

const TTL: i32 = 60;

#[cacheable(key = "a:<<id>>", ttl = TTL)]
fn a(id: u32) -> u32 {
    id
}

fn main() {
    let _ = a(1);
}
