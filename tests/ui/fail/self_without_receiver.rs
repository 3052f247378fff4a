use cache_runtime::cacheable;

struct Posts;

impl Posts {
    #[cacheable(key = "posts:<<self.tenant>>:<<id>>")]
    fn get(id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = Posts::get(1);
}
