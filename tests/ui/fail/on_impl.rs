use cache_runtime::invalidate;

struct Posts;

#[invalidate(patterns = ["posts:*"])]
impl Posts {
    fn update(&self) {}
}

fn main() {
    Posts.update();
}
