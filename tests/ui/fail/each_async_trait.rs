use async_trait::async_trait;
use cache_runtime::cacheable;

#[async_trait]
trait Load {
    async fn load(&self, ids: &[u32]) -> Vec<u32>;
}

struct Plain;

#[async_trait]
impl Load for Plain {
    #[cacheable(key = "posts:<<id>>", each = ids)]
    async fn load(&self, ids: &[u32]) -> Vec<u32> {
        ids.to_vec()
    }
}

fn main() {
    drop(Plain.load(&[1]));
}
