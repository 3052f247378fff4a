use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<slug>>"])]
fn update_post(slug: String) -> impl Future<Output = usize> {
    async move { slug.len() }
}

fn main() {
    let _ = update_post("a".to_owned());
}
