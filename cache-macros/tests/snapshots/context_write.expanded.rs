fn rename(team: u32) {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "rename",
                    ::core::module_path!(),
                    &["profiles:<<user_id>>:*", "teams:<<team>>:<<user_id.len()>>"],
                    &["profiles:\u{1}:*", "teams:\u{1}:\u{1}"],
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
                    w.text(":*");
                    w.end();
                    ::cache_runtime::__private::part::PartProbe::of(&(team))
                        .__part(w, "teams:", "team");
                    match ::cache_runtime::__private::context("user_id") {
                        ::core::option::Option::Some(user_id) => {
                            let user_id: &::core::primitive::str = &user_id;
                            ::cache_runtime::__private::part::PartProbe::of(
                                    &(user_id.len()),
                                )
                                .__part(w, ":", "user_id.len()");
                        }
                        ::core::option::Option::None => w.without_context(":", "user_id"),
                    }
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<()>::NEW.__shape().__judged(),
    );
    ::cache_runtime::__private::write_sync::<
        (),
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> () { write(team) },
    )
}
