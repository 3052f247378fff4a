use cache_runtime::cacheable;

struct Db(u32);

#[cacheable(key = "a:<<slug>>", detached = true)]
async fn a(slug: &str) -> String {
    slug.to_owned()
}

#[cacheable(key = "b:<<id>>", skip(db), detached)]
async fn b<D: Clone>(db: D, id: u32) -> u32 {
    let _ = db;
    id
}

impl Db {
    #[cacheable(key = "c:<<self.0>>:<<id>>", detached)]
    async fn c(&self, id: u32) -> u32 {
        self.0 + id
    }
}

fn main() {
    let _ = (a("a"), b(1, 1), Db(1).c(1));
}
