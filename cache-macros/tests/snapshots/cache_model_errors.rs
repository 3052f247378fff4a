#[derive(CacheModel)]
#[cache(tables = "posts", patterns = ["posts:<<slgu>>", "posts:<<slug.len()>>"])]
struct Post {
    slug: String,
}
