#[invalidate(patterns = ["posts:<<slug>>:*"], tx = tx)]
async fn rename(tx: &mut Transaction<'_>, slug: &str) -> Result<Post, Error> {
    tx.rename(slug).await
}
