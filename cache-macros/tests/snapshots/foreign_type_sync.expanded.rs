fn page(slug: &str) -> Page {
    const _: () = ::core::assert!(
        ! ::cache_runtime::__private::reaches("views:\u{1}", "pages:\u{1}"),
        "the pattern `views:<<slug>>` matches this function's own key `pages:<<slug>>`, so every call would remove the entry it has just stored: remove the pattern, or narrow it; invalidate this key in the functions that write the data"
    );
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "page",
                    ::core::module_path!(),
                    &["views:<<slug>>"],
                    &["views:\u{1}"],
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
                    ::cache_runtime::__private::part::PartProbe::of(&(slug))
                        .__part(w, "views:", "slug");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<Page>::NEW.__shape().__judged(),
    );
    let adapter = ::cache_runtime::__private::adapter::Outer::<Page>::NEW
        .__shape()
        .__value(Page::into_parts)
        .__response(Page::from);
    let lookup = ::cache_runtime::__private::begin(
        ::cache_runtime::__private::site!("page", "pages:<<slug>>", "pages:\u{1}",),
        adapter.returns().__shape().__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "pages:", "slug");
            },
        ),
    );
    ::cache_runtime::__private::write_sync::<
        Page,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> Page {
            adapter
                .close(
                    ::cache_runtime::__private::read_sync(
                        lookup,
                        {
                            let task = move || -> Page {
                                #[allow(unused_imports)]
                                use invalidate as _;
                                render(slug)
                            };
                            move || adapter.open(task())
                        },
                    ),
                )
        },
    )
}
