//! Methods of `impl Trait for X`, and default bodies in a trait.
use cache_runtime::{cacheable, invalidate};

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
    #[cacheable(key = "texts:<<id>>")]
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

fn main() {}
