use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<result>>"])]
fn update_post(slug: &str) {
    let _ = slug;
}

fn main() {
    update_post("a");
}
