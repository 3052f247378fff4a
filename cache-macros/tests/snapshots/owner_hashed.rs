#[cacheable(key = "reports:<<id>>", owner = user.id, companions = false)]
fn report(user: &User, id: u64) -> Report {
    load(user, id)
}
