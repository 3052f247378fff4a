async fn update(ids: &[u64]) -> Result<Updated, DbError> {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "update",
                    ::core::module_path!(),
                    &["posts:<<ids..>>:*", "users:<<result.authors..>>:<<result.page>>"],
                    &["posts:\u{1}:*", "users:\u{1}:\u{1}"],
                );
                ::cache_runtime::__private::submit!(
                    ::cache_runtime::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            ::cache_runtime::__private::Handle::Current,
            true,
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    for item in ::cache_runtime::__private::items::ItemsProbe::of(&(ids))
                        .__items()
                    {
                        ::cache_runtime::__private::part::PartProbe::of(&item)
                            .__part(w, "posts:", "ids..");
                        w.text(":*");
                        w.end();
                    }
                    w.text("users:");
                    w.result("0");
                    w.text(":");
                    w.result("1");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Updated, DbError>>::NEW
            .__shape()
            .__judged(),
    );
    ::cache_runtime::__private::write_async::<
        Result<Updated, DbError>,
        _,
        _,
        _,
    >(
            write0,
            shape0,
            |result, w: &mut ::cache_runtime::__private::Writer<'_>| {
                for item in ::cache_runtime::__private::items::ItemsProbe::of(
                        &(result.authors),
                    )
                    .__items()
                {
                    ::cache_runtime::__private::part::PartProbe::of(&item)
                        .__part(w, "", "0");
                }
                ::cache_runtime::__private::part::PartProbe::of(&(result.page))
                    .__part(w, "", "1");
            },
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<
                        Result<Updated, DbError>,
                    >();
                }
                store(ids).await
            },
        )
        .await
}
