use cache_runtime::{cacheable, invalidate};

struct Repo {
    tenant: String,
}

impl Repo {
    #[cacheable(key = "posts:<<tenant>>:<<id>>")]
    fn post(&self, id: u32) -> String {
        format!("{}{id}", self.tenant)
    }

    #[invalidate(patterns = ["posts:<<tenant.name>>:*"])]
    fn clear(&self) {}
}

fn main() {
    let repo = Repo {
        tenant: String::new(),
    };
    let _ = repo.post(1);
    repo.clear();
}
