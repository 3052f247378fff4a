use cache_runtime::cacheable;
use std::borrow::Cow;

#[cacheable(key = "posts:<<slug>>")]
async fn get_post<'a>(slug: &'a str) -> Result<Option<Cow<'a, str>>, &'a str> {
    Ok(Some(Cow::Borrowed(slug)))
}

fn main() {
    let _ = get_post("a");
}
