#[cacheable(key = "users:<<id>>", each = ids, tx = _tx)]
fn users(_tx: &Transaction<'_>, ids: &[u32]) -> HashMap<u32, User> {
    load(ids)
}
