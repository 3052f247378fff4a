#[cacheable(key = "posts:<<slug>>", ttl = 600, tx = &mut *tx)]
async fn get_post(tx: &mut Transaction<'_>, slug: &str) -> Result<Post, Error> {
    tx.post(slug).await
}
