async fn rename(tx: &mut Transaction<'_>, slug: &str) -> Result<Post, Error> {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan_in(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "rename",
                    ::core::module_path!(),
                    &["posts:<<slug>>:*"],
                    &["posts:\u{1}:*"],
                );
                ::cache_runtime::__private::submit!(
                    ::cache_runtime::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::collector(
                &(tx),
            )),
            true,
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(slug))
                        .__part(w, "posts:", "slug");
                    w.text(":*");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__judged(),
    );
    ::cache_runtime::__private::write_async::<
        Result<Post, Error>,
        _,
        _,
        _,
    >(
            write0,
            shape0,
            ::cache_runtime::__private::no_result,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, Error>>();
                }
                tx.rename(slug).await
            },
        )
        .await
}
