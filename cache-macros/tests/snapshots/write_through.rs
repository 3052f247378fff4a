#[write_through(key = "conversation:<<id>>:messages", ttl = 1800)]
#[invalidate(patterns = ["conversation:<<id>>:unread", "users:<<result.author>>:*"])]
async fn add_message(db: &Db, id: i64, message: Message) -> Result<Conversation, DbError> {
    db.insert(id, message).await
}
