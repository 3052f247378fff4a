use cache_runtime::cacheable;

struct Path<T>(T);

#[async_trait::async_trait]
trait Posts {
    async fn get(&self, path: Path<String>) -> String;
}

#[async_trait::async_trait]
impl Posts for () {
    #[cacheable(key = "posts:<<slug>>")]
    async fn get(&self, Path(slug): Path<String>) -> String {
        slug
    }
}

fn main() {
    let _ = ().get(Path(String::new()));
}
