#[cacheable(
    key = "tenants:<<self.tenant>>:users:<<id>>",
    ttl = |user: &User| user.lifetime,
    cache = self.cache
)]
pub(crate) async fn user(&mut self, id: u64) -> Option<Arc<User>> {
    self.load(id).await
}
