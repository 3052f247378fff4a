#[cacheable(key = "reports:<<user.id>>:<<id>>", ttl = 600, owner = user.id)]
async fn report(user: &User, id: u64) -> Report {
    load(user, id).await
}
