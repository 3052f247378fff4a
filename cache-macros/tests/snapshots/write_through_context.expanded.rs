fn save(tab: &str, profile: Profile) -> Result<Profile, DbError> {
    let through = ::cache_runtime::__private::begin_write_through(
        ::cache_runtime::__private::write_through_site!(
            "save", "profiles:<<user_id>>:<<tab>>", "profiles:\u{1}:\u{1}", .varies()
            .computed_ttl()
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                match ::cache_runtime::__private::context("user_id") {
                    ::core::option::Option::Some(user_id) => {
                        let user_id: &::core::primitive::str = &user_id;
                        ::cache_runtime::__private::part::PartProbe::of(&(user_id))
                            .__part(w, "profiles:", "user_id");
                    }
                    ::core::option::Option::None => {
                        w.without_context("profiles:", "user_id")
                    }
                }
                ::cache_runtime::__private::part::PartProbe::of(&(tab))
                    .__part(w, ":", "tab");
            },
        ),
        |_| match ::cache_runtime::__private::context("user_id") {
            ::core::option::Option::Some(user_id) => {
                let user_id: &::core::primitive::str = &user_id;
                ::cache_runtime::__private::ttl(ttl_of(user_id))
            }
            ::core::option::Option::None => ::core::option::Option::None,
        },
    );
    ::cache_runtime::__private::write_through_sync(
        through,
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Profile, DbError>>::NEW
            .__shape()
            .__fit(),
        ::cache_runtime::__private::ttl_unset,
        ::cache_runtime::__private::unless_unset,
        move || -> Result<Profile, DbError> { write(tab, profile) },
    )
}
