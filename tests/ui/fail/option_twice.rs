use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slug>>", ttl = 5, ttl = "10m")]
fn get_post(slug: &str) -> String {
    slug.to_owned()
}

fn main() {
    let _ = get_post("a");
}
