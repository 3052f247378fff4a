#[derive(CacheStrategy)]
#[cache(namespace = "chat", ttl = 1800, key = "conversation:<<id>>:messages", value = Vec<Message>)]
struct ConversationMessages {
    id: i64,
}
