#[invalidate(
    patterns = ["posts:<<slug>>:*", "posts:<<result.slug>>:<<slug>>", "posts:list:*"],
    condition = publish
)]
async fn update(db: &Db, slug: String, publish: bool) -> Result<Post, DbError> {
    db.update(slug, publish).await
}
