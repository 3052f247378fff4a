use cache_runtime::cacheable;

#[async_trait::async_trait]
trait Posts {
    async fn get(slug: &str) -> String;
}

#[async_trait::async_trait]
impl Posts for () {
    #[cacheable(key = "posts:<<slug>>", companions)]
    async fn get(slug: &str) -> String {
        slug.to_owned()
    }
}

fn main() {
    let _ = <() as Posts>::get("a");
}
