use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:*"], when = "befor")]
fn update_post(slug: &str) -> String {
    slug.to_owned()
}

fn main() {
    let _ = update_post("a");
}
