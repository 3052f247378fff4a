#[cacheable(key = "posts:<<slug>>", skip(db), companions = false)]
async fn handler<const N: usize, T>(
    State(App { db, .. }): State<App>,
    Path(slug): Path<String>,
    mut page: impl Pager,
    [first, rest @ ..]: [u8; N],
) -> Result<Json<Post>, AppError>
where
    T: Source,
{
    page.advance();
    db.post::<T>(&slug).await.map(Json)
}
