use cache_runtime::cacheable;

#[cacheable(key = "names:<<id>>", unless = result.is_empty())]
fn name(id: u32) -> String {
    id.to_string()
}

#[cacheable(key = "names:<<id>>", unless = id > 5)]
fn other_name(id: u32) -> String {
    id.to_string()
}

#[cacheable(key = "names:<<id>>", unless = "#result == null")]
fn third_name(id: u32) -> String {
    id.to_string()
}

fn main() {
    let _ = (name(1), other_name(1), third_name(1));
}
