use cache_runtime::cacheable;

#[cacheable]
trait Posts {
    fn count(&self) -> u32 {
        1
    }
}

impl Posts for () {}

fn main() {
    let _ = ().count();
}
