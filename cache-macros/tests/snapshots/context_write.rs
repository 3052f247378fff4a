#[invalidate(patterns = ["profiles:<<user_id>>:*", "teams:<<team>>:<<user_id.len()>>"], context(user_id))]
fn rename(team: u32) {
    write(team)
}
