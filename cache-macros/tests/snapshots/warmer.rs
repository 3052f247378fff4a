/// The posts that
/// are read most.
///
/// More.
#[warmer("popular", at_start, every = "10m", concurrency = 8, rate = 50)]
pub async fn popular(mut warm: Warm, db: Db, State(limit): State<u32>) -> Result<(), DbError> {
    let slugs = db.most_read(limit).await?;
    warm.each(slugs, |slug| post(&db, slug)).await;
    Ok(())
}
