#[invalidate(patterns = ["drafts:<<slug>>"])]
#[tracing::instrument]
#[cache_runtime::cacheable(key = "posts:<<slug>>", crate = renamed)]
#[invalidate(patterns = ["feeds:<<result.author>>"], when = "always")]
fn publish(slug: &str) -> Result<Post, Error> {
    store(slug)?;
    load(slug)
}
