use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>", ttl = "10 minutes")]
fn a(id: u32) -> u32 {
    id
}

#[cacheable(key = "b:<<id>>", ttl = "1 hour", stale = "90 sec")]
fn b(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (a(1), b(1));
}
