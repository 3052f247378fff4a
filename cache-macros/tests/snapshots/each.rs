#[cacheable(key = "users:<<id>>", ttl = 600, each = ids, skip(db))]
async fn users(db: &Db, ids: &[Id]) -> Result<HashMap<Id, User>, DbError> {
    db.users(ids).await
}
