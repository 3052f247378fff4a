/// Reads a post.
#[must_use]
pub async fn get_post(db: &Db, slug: &str) -> Result<Post, DbError> {
    let lookup = match {
        ::cache_runtime::__private::answer(
            ::cache_runtime::__private::site!(
                "get_post", "posts:<<slug>>", "posts:\u{1}", .ttl(600000)
            ),
            ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, DbError>>::NEW
                .__shape()
                .__fit(),
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(slug))
                        .__part(w, "posts:", "slug");
                },
            ),
        )
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                let row = db.row(slug).await?;
                Ok(row.into())
            },
        )
        .await
}
