#[cacheable(key = "pages:<<slug>>", companions = false, value = Page::into_parts, response = Page::from)]
#[invalidate(patterns = ["views:<<slug>>"])]
fn page(slug: &str) -> Page {
    render(slug)
}
