#[cacheable(key = "users:<<id>>", each = ids)]
fn users(ids: Vec<Id>) -> Vec<User> {
    load(ids)
}
