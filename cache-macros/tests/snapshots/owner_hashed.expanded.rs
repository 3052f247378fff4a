fn report(user: &User, id: u64) -> Report {
    let lookup = {
        let site = ::cache_runtime::__private::site!(
            "report", "reports:<<id>>", "reports:\u{1}", .owner("reports:\u{1}").varies()
        );
        ::cache_runtime::__private::begin_with(
                site,
                ::cache_runtime::__private::Handle::Current,
                true,
                ::cache_runtime::__private::shape::ShapeProbe::<Report>::NEW
                    .__shape()
                    .__fit(),
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(id))
                            .__part(w, "reports:", "id");
                        w.owner(|w: &mut ::cache_runtime::__private::Writer<'_>| {
                            ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                                .__part(w, "", "owner");
                        });
                    },
                ),
                ::cache_runtime::__private::none,
            )
            .owned(
                site,
                ::cache_runtime::__private::Handle::Current,
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                            .__part(w, "", "owner");
                    },
                ),
            )
    };
    ::cache_runtime::__private::read_sync(lookup, move || -> Report { load(user, id) })
}
