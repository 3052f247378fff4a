use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<result.slug>>"])]
async fn update_post(slug: &str) -> impl std::fmt::Display + use<> {
    slug.len()
}

#[invalidate(patterns = ["posts:list", "posts:<<result>>"], when = "always")]
fn rename_post(slug: &str) -> Result<impl std::fmt::Display + use<>, String> {
    Ok(slug.len())
}

fn main() {
    let _ = (update_post("a"), rename_post("a"));
}
