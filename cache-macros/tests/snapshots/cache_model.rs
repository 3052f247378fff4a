#[derive(CacheModel)]
#[cache(table = "app.posts", patterns = ["posts:<<slug>>:*", "posts:list:*", "{{author_id}}-<<kind>>"])]
pub(crate) struct Post<'a, T: Display> {
    #[sqlx(rename = "post_slug")]
    slug: &'a str,
    author_id: Option<i64>,
    #[cache(column = "type")]
    kind: T,
    likes: f64,
}
