use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slug>>")]
fn get_post(slug: &str) -> &str {
    slug
}

fn main() {
    let _ = get_post("a");
}
