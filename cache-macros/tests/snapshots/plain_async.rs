/// Reads a post.
#[cacheable(key = "posts:<<slug>>", ttl = 600, skip(db), companions = false)]
#[must_use]
pub async fn get_post(db: &Db, slug: &str) -> Result<Post, DbError> {
    let row = db.row(slug).await?;
    Ok(row.into())
}
