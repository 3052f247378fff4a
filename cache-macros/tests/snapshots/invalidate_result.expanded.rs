async fn update(db: &Db, slug: String, publish: bool) -> Result<Post, DbError> {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "update",
                    ::core::module_path!(),
                    &[
                        "posts:<<slug>>:*",
                        "posts:<<result.slug>>:<<slug>>",
                        "posts:list:*",
                    ],
                    &["posts:\u{1}:*", "posts:\u{1}:\u{1}", "posts:list:*"],
                );
                ::cache_runtime::__private::submit!(
                    ::cache_runtime::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            ::cache_runtime::__private::Handle::Current,
            match () {
                () if publish => true,
                () => false,
            },
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(slug))
                        .__part(w, "posts:", "slug");
                    w.text(":*");
                    w.end();
                    w.text("posts:");
                    w.result();
                    ::cache_runtime::__private::part::PartProbe::of(&(slug))
                        .__part(w, ":", "slug");
                    w.end();
                    w.text("posts:list:*");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, DbError>>::NEW
            .__shape()
            .__judged(),
    );
    ::cache_runtime::__private::write_async::<
        Result<Post, DbError>,
        _,
        _,
        _,
    >(
            write0,
            shape0,
            |result, w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(result.slug))
                    .__part(w, "", "result.slug");
            },
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                db.update(slug, publish).await
            },
        )
        .await
}
