use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>", detached)]
fn a(id: u32) -> u32 {
    id
}

fn main() {
    let _ = a(1);
}
