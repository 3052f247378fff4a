async fn profile(tab: &str) -> Profile {
    let lookup = match {
        ::cache_runtime::__private::begin_with(
                ::cache_runtime::__private::site!(
                    "profile", "profiles:<<user_id>>:<<tab>>", "profiles:\u{1}:\u{1}",
                    .computed_ttl().varies()
                ),
                ::cache_runtime::__private::Handle::Current,
                match ::cache_runtime::__private::context("user_id") {
                    ::core::option::Option::Some(user_id) => {
                        let user_id: &::core::primitive::str = &user_id;
                        match () {
                            () if user_id != "anon" => true,
                            () => false,
                        }
                    }
                    ::core::option::Option::None => true,
                },
                ::cache_runtime::__private::shape::ShapeProbe::<Profile>::NEW
                    .__shape()
                    .__fit(),
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
                        ::cache_runtime::__private::hash_context(w, "locale");
                    },
                ),
                |_| match ::cache_runtime::__private::context("user_id") {
                    ::core::option::Option::Some(user_id) => {
                        let user_id: &::core::primitive::str = &user_id;
                        ::cache_runtime::__private::ttl(ttl_of(user_id))
                    }
                    ::core::option::Option::None => ::core::option::Option::None,
                },
            )
            .hit()
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Profile>();
                }
                load(tab).await
            },
        )
        .await
}
/// Run `profile` without the cache: no entry is read or stored.
#[allow(
    unused,
    unreachable_pub,
    deprecated,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
)]
async fn profile_no_cache(tab: &str) -> Profile {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<Profile>();
        }
        load(tab).await
    }
        .await
}
/// Return the full key of the entry that `profile` reads with these arguments.
#[allow(
    unused,
    unreachable_pub,
    deprecated,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
)]
fn profile_cache_key(tab: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!(
            "profile", "profiles:<<user_id>>:<<tab>>", "profiles:\u{1}:\u{1}",
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
                ::cache_runtime::__private::hash_context(w, "locale");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `profile` reads with these arguments.
#[allow(
    unused,
    unreachable_pub,
    deprecated,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
)]
fn profile_cache_path(tab: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!(
            "profile", "profiles:<<user_id>>:<<tab>>", "profiles:\u{1}:\u{1}",
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
                ::cache_runtime::__private::hash_context(w, "locale");
            },
        ),
    )
}
/// Remove the entry that `profile` reads with these arguments; return `true` if it existed.
#[allow(
    unused,
    unreachable_pub,
    deprecated,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
)]
async fn profile_invalidate(
    tab: &str,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        ::cache_runtime::__private::call_site!(
            "profile", "profiles:<<user_id>>:<<tab>>", "profiles:\u{1}:\u{1}",
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
                ::cache_runtime::__private::hash_context(w, "locale");
            },
        ),
    );
    removal.await
}
/// Run `profile` and store its value, even if one is cached.
#[allow(
    unused,
    unreachable_pub,
    deprecated,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
)]
async fn profile_refresh(tab: &str) -> Profile {
    let lookup = ::cache_runtime::__private::begin_refresh_with(
        ::cache_runtime::__private::call_site!(
            "profile", "profiles:<<user_id>>:<<tab>>", "profiles:\u{1}:\u{1}",
            .computed_ttl()
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::shape::ShapeProbe::<Profile>::NEW.__shape().__fit(),
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
                ::cache_runtime::__private::hash_context(w, "locale");
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
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Profile>();
                }
                load(tab).await
            },
        )
        .await
}
