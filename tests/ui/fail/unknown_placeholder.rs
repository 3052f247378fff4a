use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slgu>>")]
fn get_post(slug: &str, page: u32) -> String {
    format!("{slug}{page}")
}

fn main() {
    let _ = get_post("a", 1);
}
