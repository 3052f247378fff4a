#[invalidate(patterns = ["posts:<<ids..>>:*", "users:<<result.authors..>>:<<result.page>>"])]
async fn update(ids: &[u64]) -> Result<Updated, DbError> {
    store(ids).await
}
