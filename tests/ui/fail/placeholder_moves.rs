use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slug.into_boxed_str()>>")]
fn get_post(slug: String) -> String {
    slug
}

fn main() {
    let _ = get_post("a".to_owned());
}
