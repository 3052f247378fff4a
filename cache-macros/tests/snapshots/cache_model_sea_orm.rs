#[derive(CacheModel)]
#[sea_orm(schema_name = "app", table_name = "posts", rename_all = "snake_case")]
#[cache(patterns = ["posts:<<slug>>"], crate = my::cache)]
struct Model {
    #[sea_orm(primary_key, column_name = "post_slug")]
    slug: String,
}
