use cache_runtime::cacheable;

#[derive(Clone)]
struct Post;

#[cacheable(key = "posts:<<slug>>")]
fn get_post(slug: &str) -> Option<Post> {
    let _ = slug;
    Some(Post)
}

fn main() {
    let _ = get_post("a");
}
