#[cacheable(skip(db), ttl = preset("posts"), companions = false)]
async fn list(db: &Db, #[cfg(feature = "tags")] tags: BTreeSet<String>, r#type: Kind, _: Trace) -> Vec<Post> {
    db.list(tags, r#type).await
}
