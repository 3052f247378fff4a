#[write_through(key = "profiles:<<user_id>>:<<tab>>", context(user_id, locale), ttl = ttl_of(user_id))]
fn save(tab: &str, profile: Profile) -> Result<Profile, DbError> {
    write(tab, profile)
}
