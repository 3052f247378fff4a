use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<result>>"])]
fn update_post(result: &str) -> String {
    result.to_owned()
}

fn main() {
    let _ = update_post("a");
}
