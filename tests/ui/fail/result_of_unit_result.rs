use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<result>>"])]
fn update_post(slug: &str) -> Result<(), String> {
    Err(slug.to_owned())
}

fn main() {
    let _ = update_post("a");
}
