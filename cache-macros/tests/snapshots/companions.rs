/// A post.
#[cfg(feature = "posts")]
#[cacheable(key = "posts:<<slug>>", skip(db), ttl = ttl::SHORT)]
#[expect(deprecated)]
pub(super) async fn get_post<D: Database>(db: &D, mut slug: String, page: u32) -> Option<Post> {
    slug.make_ascii_lowercase();
    db.post(slug, page).await
}
