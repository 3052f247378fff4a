use cache_runtime::cacheable;

struct Posts;

impl Posts {
    #[cacheable(key = "posts:<<slug>>", skip(self))]
    fn get(slug: &str) -> String {
        slug.to_owned()
    }

    #[cacheable(key = "posts:<<self.id()>>", skip(self))]
    fn both(&self) -> u32 {
        self.id()
    }

    fn id(&self) -> u32 {
        1
    }
}

fn main() {
    let _ = Posts::get("a");
}
