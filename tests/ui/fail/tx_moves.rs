use cache_runtime::{Invalidations, cacheable, invalidate};

fn consume(tx: Invalidations) -> Invalidations {
    tx
}

#[invalidate(patterns = ["posts:<<slug>>:*"], tx = consume(tx))]
async fn rename(tx: Invalidations, slug: &str) {}

#[cacheable(key = "posts:<<slug>>", tx = consume(tx), skip(tx))]
fn get_post(tx: Invalidations, slug: &str) -> String {
    slug.to_owned()
}

fn main() {}
