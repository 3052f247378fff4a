use cache_runtime::cacheable;
use std::sync::Arc;

struct Repo {
    tenant: String,
}

impl Repo {
    #[cacheable(key = "posts:<<id>>")]
    async fn by_reference(&self, id: u32) -> String {
        format!("{} {id}", self.tenant)
    }

    #[cacheable(ttl = 60)]
    fn without_a_key(&mut self, id: u32) -> String {
        self.tenant.clone() + &id.to_string()
    }

    #[cacheable(key = "shared:<<id>>")]
    fn shared(self: Arc<Self>, id: u32) -> String {
        format!("{}{id}", self.tenant)
    }

    #[cacheable(key = "consumed:<<id>>")]
    fn consumed(mut self, id: u32) -> String {
        self.tenant.push_str(&id.to_string());
        self.tenant
    }

    // `self` chooses the cache, the lifetime and whether there is an entry. None of these tells entries apart.
    #[cacheable(key = "others:<<id>>", condition = self.tenant.is_empty(), ttl = self.tenant.len() as u64)]
    fn in_other_options(&self, id: u32) -> String {
        format!("{}{id}", self.tenant)
    }
}

#[async_trait::async_trait]
trait Load {
    async fn load(&self, id: u32) -> String;

    #[cacheable(key = "defaults:<<id>>")]
    async fn by_default(&self, id: u32) -> String {
        self.load(id).await
    }
}

#[async_trait::async_trait]
impl Load for Repo {
    #[cacheable(key = "loads:<<id>>")]
    async fn load(&self, id: u32) -> String {
        format!("{} {id}", self.tenant)
    }
}

fn main() {}
