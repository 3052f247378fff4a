use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "names:<<id>>", condition = !result.is_empty())]
fn name(id: u32) -> String {
    id.to_string()
}

#[cacheable(key = "sizes:<<id>>", ttl = result.len() as u64)]
fn size(id: u32) -> String {
    id.to_string()
}

#[invalidate(patterns = ["names:<<id>>"], condition = result.is_empty())]
fn rename(id: u32) -> String {
    id.to_string()
}

fn main() {
    let _ = (name(1), size(1), rename(1));
}
