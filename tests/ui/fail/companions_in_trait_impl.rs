use cache_runtime::cacheable;

trait Posts {
    fn get(id: u64) -> u64;
}

// It names neither `self` nor `Self`, so it could be a free function, which has companions: `companions = false`.
impl Posts for () {
    #[cacheable(key = "posts:<<id>>")]
    fn get(id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = <() as Posts>::get(1);
}
