use cache_runtime::{cacheable, invalidate};

// Every mistake is reported, and neither the function nor its companions are missing for their callers.
#[cacheable(
    kye = "x",
    key = "posts:<<slgu>>:{slug}:<<page",
    ttl = 0,
    skip(bd, slug),
    ttl = 5
)]
#[invalidate(patterns = ["", "<<result.x>>"], when = "after")]
const fn get_post(db: u32, slug: &'static str, page: u32) -> &'static str {
    let _ = (db, page);
    slug
}

fn main() {
    let _ = get_post(1, "a", 1);
    let _ = get_post_no_cache(1, "a", 1);
    let _ = get_post_cache_key(1, "a", 1);
    let _ = get_post_invalidate(1, "a", 1);
    let _ = get_post_refresh(1, "a", 1);
}
