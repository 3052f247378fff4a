use cache_runtime::cacheable;

// The companions hold the body too, and say nothing more.
#[cacheable(key = "posts:<<slug>>")]
fn get_post(slug: &str) -> String {
    slug.len()
}

#[cacheable(key = "lengths:<<slug>>")]
async fn get_length(slug: &str) -> Result<usize, String> {
    if slug.is_empty() {
        return Err(());
    }
    Ok(slug.len())
}

fn main() {
    let _ = (get_post("a"), get_length("a"));
}
