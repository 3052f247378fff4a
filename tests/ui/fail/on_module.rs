use cache_runtime::cacheable;

#[cacheable]
mod posts {
    pub fn count() -> u32 {
        1
    }
}

fn main() {
    let _ = posts::count();
}
