use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slug>>")]
fn get_post(slug: &str) -> impl std::fmt::Display + use<> {
    slug.len()
}

fn main() {
    let _ = get_post("a");
}
