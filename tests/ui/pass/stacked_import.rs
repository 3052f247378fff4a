//! An import that only a further attribute of a function needs is not reported as unused.
#![deny(unused_imports)]
use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "posts:<<id>>")]
#[invalidate(patterns = ["lists:*"])]
fn publish(id: u64) -> u64 {
    id
}

mod methods {
    use cache_runtime::{cacheable, invalidate};

    pub struct Posts;

    impl Posts {
        #[invalidate(patterns = ["lists:*"])]
        #[cacheable(key = "posts:<<id>>")]
        pub async fn publish(&self, id: u64) -> u64 {
            id
        }
    }
}

fn main() {
    let _ = (publish(1), methods::Posts.publish(1));
}
