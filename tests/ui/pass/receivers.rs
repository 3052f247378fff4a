//! `self` in the key, skipped, or unused.
#![deny(warnings)]
use cache_runtime::cacheable;
use std::sync::Arc;

struct Repo {
    tenant: String,
}

impl Repo {
    #[cacheable(key = "posts:<<self.tenant>>:<<id>>")]
    fn named(&self, id: u32) -> String {
        format!("{}{id}", self.tenant)
    }

    #[cacheable(key = "posts:<<self.id(id)>>")]
    fn named_by_a_method(&self, id: u32) -> usize {
        self.id(id)
    }

    #[cacheable(skip(self))]
    async fn skipped(self: Arc<Self>, id: u32) -> usize {
        self.id(id) - self.tenant.len()
    }

    #[cacheable(key = "mutable:<<id>>", skip(self))]
    fn skipped_mutable(&mut self, id: u32) -> u32 {
        self.tenant.clear();
        id
    }

    // The body certainly uses nothing of `self`.
    #[cacheable(key = "unused:<<id>>")]
    fn unused(&self, id: u32) -> u32 {
        if !(id == 2) { id } else { self::twice(id) }
    }

    fn id(&self, id: u32) -> usize {
        id as usize + self.tenant.len()
    }
}

fn twice(id: u32) -> u32 {
    id * 2
}

#[async_trait::async_trait]
trait Load {
    async fn named(&self, id: u32) -> String;
    async fn skipped(&mut self, id: u32) -> String;
    async fn unused(&self, id: u32) -> u32;
}

#[async_trait::async_trait]
impl Load for Repo {
    #[cacheable(key = "loads:<<self.tenant>>:<<id>>")]
    async fn named(&self, id: u32) -> String {
        format!("{} {id}", self.tenant)
    }

    #[cacheable(key = "loads:<<id>>", skip(self))]
    async fn skipped(&mut self, id: u32) -> String {
        self.tenant.clear();
        format!("{} {id}", self.tenant)
    }

    #[cacheable(key = "loads:<<id>>")]
    async fn unused(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    let mut repo = Repo { tenant: String::new() };
    let _ = (repo.named(1), repo.named_by_a_method(1), repo.unused(1));
    let _ = repo.skipped_mutable(1);
    let _ = Load::skipped(&mut repo, 1);
    let _ = (Load::named(&repo, 1), Load::unused(&repo, 1));
    let _ = Arc::new(repo).skipped(1);
}
