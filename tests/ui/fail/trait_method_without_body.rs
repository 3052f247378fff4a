use cache_runtime::cacheable;

trait Posts {
    #[cacheable(key = "posts:<<id>>")]
    fn get(&self, id: u64) -> u64;
}

impl Posts for () {
    fn get(&self, id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = ().get(1);
}
