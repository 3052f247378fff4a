//! Methods of `impl Trait for X`, and default bodies in a trait.
use cache_runtime::{Cache, cacheable, invalidate};

trait Store {
    fn load(&self, id: u64) -> Result<String, String>;

    fn static_load(id: u64) -> String;

    #[cacheable(key = "defaults:<<id>>")]
    fn with_default(&self, id: u64) -> u64 {
        id
    }

    fn save(&mut self, id: u64, text: String) -> Result<u64, String>;
}

struct Memory(Vec<String>);

impl Store for Memory {
    #[cacheable(key = "texts:<<id>>", skip(self))]
    fn load(&self, id: u64) -> Result<String, String> {
        self.0
            .get(id as usize)
            .cloned()
            .ok_or_else(|| "none".to_owned())
    }

    #[cacheable(key = "static:<<id>>", companions = false)]
    fn static_load(id: u64) -> String {
        id.to_string()
    }

    #[invalidate(patterns = ["texts:<<result>>"])]
    fn save(&mut self, id: u64, text: String) -> Result<u64, String> {
        *self.0.get_mut(id as usize).ok_or("none")? = text;
        Ok(id)
    }
}

async fn check() {
    let mut memory = Memory(vec!["a".to_owned()]);
    for _ in 0..2 {
        assert_eq!(memory.load(0).as_deref(), Ok("a"));
        assert!(memory.load(1).is_err());
        assert_eq!(Memory::static_load(3), "3");
        assert_eq!(memory.with_default(4), 4);
    }
    assert_eq!(memory.save(0, "b".to_owned()), Ok(0));
    assert_eq!(memory.load(0).as_deref(), Ok("b"));
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 3);
    assert_eq!(cache.stats().invalidated, 1);
}
