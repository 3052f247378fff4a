#[cacheable(
    key = "pages:<<slug>>",
    skip(db),
    unless = |(head, _)| head.is_error(),
    value = |page| page.into_parts(),
    response = |(head, body)| Page::new(head, body),
)]
async fn page(db: &Db, slug: &str) -> Result<Page, DbError> {
    db.page(slug).await
}
