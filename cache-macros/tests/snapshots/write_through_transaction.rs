#[write_through(
    key = "posts:<<slug>>:title",
    ttl = |title| title.len(),
    unless = |title: &String| title.is_empty(),
    cache_none,
    version = 2,
    tx = tx,
    debug
)]
fn rename(tx: &mut Transaction, slug: &str, title: String) -> Option<String> {
    tx.rename(slug, title)
}
