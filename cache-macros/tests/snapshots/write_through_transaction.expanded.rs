fn rename(tx: &mut Transaction, slug: &str, title: String) -> Option<String> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(tx),
    ));
    let through = ::cache_runtime::__private::begin_write_through_in(
        ::cache_runtime::__private::write_through_site!(
            "rename", "posts:<<slug>>:title", "posts:\u{1}:title", .debug()
            .computed_ttl().cache_none().version(2)
        ),
        ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::collector(
            &(tx),
        )),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
                w.text(":title");
            },
        ),
        ::cache_runtime::__private::none,
    );
    ::cache_runtime::__private::write_through_sync(
        through,
        ::cache_runtime::__private::shape::ShapeProbe::<Option<String>>::NEW
            .__shape()
            .__fit(),
        |title| title.len(),
        |value| {
            let closure = |title: &String| title.is_empty();
            closure(value)
        },
        ::cache_runtime::__private::uncached_sync_if(
            open,
            move || -> Option<String> { tx.rename(slug, title) },
        ),
    )
}
