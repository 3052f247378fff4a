use cache_runtime::cacheable;

struct Db;

#[cacheable(key = "posts:<<slug>>")]
fn get_post(db: &Db, slug: &str) -> String {
    let _ = db;
    slug.to_owned()
}

fn main() {
    let _ = get_post(&Db, "a");
}
