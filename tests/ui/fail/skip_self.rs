use cache_runtime::cacheable;

struct Posts;

impl Posts {
    #[cacheable(key = "posts:<<slug>>", skip(self))]
    fn get(&self, slug: &str) -> String {
        slug.to_owned()
    }
}

fn main() {
    let _ = Posts.get("a");
}
