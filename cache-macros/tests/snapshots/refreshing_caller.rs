#[cacheable(key = "posts:<<slug>>", ttl = 60, stale = "1m", stale_if_error = "1h", skip(db))]
async fn post(db: &Db, slug: &str) -> Result<Post, DbError> {
    db.post(slug).await
}
