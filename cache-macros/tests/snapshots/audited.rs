#[cacheable(key = "posts:<<slug>>", ttl = 600, audit = 0.01, unless = |post| post.id == limit)]
async fn get_post(db: Db, mut slug: String, #[cfg(all())] limit: u64) -> Result<Post, DbError> {
    slug.push('/');
    db.post(&slug).await
}
