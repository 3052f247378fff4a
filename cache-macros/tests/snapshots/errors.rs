/// Kept as written.
#[cacheable(kye = "x", key = "posts:<<slgu>>:{slug}:<<page", ttl = 0, skip(bd, slug), ttl = 5)]
#[invalidate(patterns = ["", "<<result>>"], when = "after")]
pub fn get_post(db: &Db, slug: &str, page: u32) {
    db.post(slug, page)
}
