#[derive(CacheModel)]
#[cache(tables = "posts", patterns = ["posts:<<slgu>>", "posts:<<author_id>>", "posts:<<slug>>"])]
#[sqlx(rename_all = "camelCase")]
struct Post {
    #[sqlx(rename = "postSlug")]
    slug: String,
    author_id: i64,
}
