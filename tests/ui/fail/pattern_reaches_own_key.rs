use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "posts:<<slug>>")]
#[invalidate(patterns = ["posts:*"])]
fn get_post(slug: &str) -> String {
    slug.to_owned()
}

fn main() {
    let _ = get_post("a");
}
