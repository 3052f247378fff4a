use cache_runtime::cacheable;

const KEY: &str = "posts";

#[cacheable(key = KEY)]
fn get_post(slug: &str) -> String {
    slug.to_owned() + KEY
}

fn main() {
    let _ = get_post("a");
}
