#[cacheable(key = "profiles:<<user_id>>:<<tab>>", context(user_id, locale), condition = user_id != "anon", ttl = ttl_of(user_id))]
async fn profile(tab: &str) -> Profile {
    load(tab).await
}
