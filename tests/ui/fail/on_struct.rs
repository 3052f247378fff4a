use cache_runtime::cacheable;

#[cacheable(key = "posts")]
struct Post {
    slug: String,
}

fn main() {
    let _ = Post {
        slug: String::new(),
    }
    .slug;
}
