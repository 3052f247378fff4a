use cache_runtime::cacheable;

fn short(text: &str) -> &str {
    text
}

#[cacheable(key = "posts:<<short(slugs)>>")]
fn get_post(slug: &str) -> String {
    short(slug).to_owned()
}

fn main() {
    let _ = get_post("a");
}
