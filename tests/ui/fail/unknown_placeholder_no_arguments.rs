use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slug>>")]
fn get_posts() -> u64 {
    1
}

fn main() {
    let _ = get_posts();
}
