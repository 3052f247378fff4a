use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<slug>>:*"])]
fn update_post(id: u64) -> u64 {
    id
}

fn main() {
    let _ = update_post(1);
}
