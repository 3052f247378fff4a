use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "a:<<id>>", condition = "#id > 5", cache = "users")]
fn a(id: u32) -> u32 {
    id
}

#[invalidate(patterns = ["a:<<id>>"], condition = "#id > 5")]
fn b(id: u32) -> u32 {
    id
}

fn main() {
    let _ = (a(1), b(1));
}
