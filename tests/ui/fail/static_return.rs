use cache_runtime::cacheable;

#[cacheable(key = "names:<<id>>")]
fn name(id: u32) -> &'static str {
    if id == 0 { "nobody" } else { "somebody" }
}

#[cacheable(key = "names:all")]
fn names() -> Result<Vec<&'static str>, &'static str> {
    Ok(vec!["nobody"])
}

fn main() {
    let _ = (name(1), names());
}
