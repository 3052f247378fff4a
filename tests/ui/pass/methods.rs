//! Methods and associated functions; `self` and `Self` in placeholders and options.
use cache_runtime::{Cache, cacheable, invalidate};
use std::sync::Arc;

struct Users {
    tenant: String,
    cache: Cache,
    writes: u32,
}

impl Users {
    const KIND: &'static str = "user";

    fn kind() -> &'static str {
        "user"
    }

    #[cacheable(key = "tenants:<<self.tenant>>:<<Self::KIND>>:<<id>>", cache = self.cache)]
    async fn user(&self, id: u64) -> Option<String> {
        Some(format!("{}/{id}", self.tenant))
    }

    #[cacheable(key = "tenants:<<self.tenant>>:<<Self::kind()>>", cache = self.cache)]
    fn count(&self) -> usize {
        self.tenant.len()
    }

    #[cacheable(key = "shared:<<self.tenant>>:<<id>>")]
    async fn shared(self: Arc<Self>, id: u64) -> u64 {
        id + self.tenant.len() as u64
    }

    #[cacheable(key = "boxed:<<self.tenant>>:<<id>>")]
    fn consuming(self: Box<Self>, id: u64) -> String {
        format!("{}{id}", self.tenant)
    }

    #[cacheable(key = "associated:<<id>>")]
    async fn associated(id: u64) -> u64 {
        id
    }

    #[cacheable(key = "made:<<id>>", companions)]
    fn with_companions(id: u64) -> u64 {
        id
    }

    #[invalidate(patterns = ["tenants:<<self.tenant>>:*"], cache = self.cache)]
    async fn rename(&mut self, tenant: String) -> Result<(), std::fmt::Error> {
        self.writes += 1;
        self.tenant = tenant;
        Ok(())
    }

    #[invalidate(patterns = ["tenants:<<self.tenant>>:*"])]
    fn close(mut self) -> u32 {
        self.writes += 1;
        self.writes
    }

    #[cacheable(key = "counted:<<id>>", skip(self))]
    fn counted(&mut self, id: u32) -> u32 {
        self.writes += id;
        self.writes
    }
}

fn main() {
    let _ = Users::with_companions_cache_key(1);
    let _ = Users::with_companions_no_cache(1);
}
