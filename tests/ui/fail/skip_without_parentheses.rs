use cache_runtime::cacheable;

#[cacheable(key = "posts:<<slug>>", skip = db)]
fn get_post(db: u32, slug: &str) -> String {
    format!("{db}{slug}")
}

fn main() {
    let _ = get_post(1, "a");
}
