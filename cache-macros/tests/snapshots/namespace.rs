#[cacheable(namespace = "chat", key = "conversation:<<id>>", ttl = preset("chats:<<id>>"))]
fn conversation(id: u32) -> u32 {
    id
}

#[invalidate(namespace = "chat:v2", patterns = ["conversation:<<id>>:*"])]
fn write(id: u32) {
    let _ = id;
}
