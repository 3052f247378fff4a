use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "a:<<id>>", time = 60)]
fn a(id: u32) -> u32 {
    id
}

#[cacheable(key = "b:<<id>>", expires = 60, skip_args(id))]
fn b(id: u32) -> u32 {
    id
}

#[cacheable(key = "c:<<id>>", result = true)]
fn c(id: u32) -> Result<u32, String> {
    Ok(id)
}

#[cacheable(key = "d:<<id>>", sync_writes = true, size = 100)]
fn d(id: u32) -> u32 {
    id
}

#[cacheable(tags = ["e"])]
fn e(id: u32) -> u32 {
    id
}

#[invalidate(tags = ["e"])]
fn f(id: u32) -> u32 {
    id
}

#[invalidate(patterns = ["e"], beforeInvocation = true, ttl = 5)]
fn g(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (a(1), b(1), c(1), d(1), e(1), f(1), g(1));
}
