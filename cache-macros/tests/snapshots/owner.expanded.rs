async fn report(user: &User, id: u64) -> Report {
    let lookup = match {
        {
            let site = ::cache_runtime::__private::site!(
                "report", "reports:<<user.id>>:<<id>>", "reports:\u{1}:\u{1}",
                .ttl(600000).owner("reports:\u{2}:\u{1}")
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
                            ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                                .__part(w, "reports:", "user.id");
                            ::cache_runtime::__private::part::PartProbe::of(&(id))
                                .__part(w, ":", "id");
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
                .hit()
        }
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Report>();
                }
                load(user, id).await
            },
        )
        .await
}
/// Run `report` without the cache: no entry is read or stored.
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
async fn report_no_cache(user: &User, id: u64) -> Report {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<Report>();
        }
        load(user, id).await
    }
        .await
}
/// Return the full key of the entry that `report` reads with these arguments.
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
fn report_cache_key(user: &User, id: u64) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!(
            "report", "reports:<<user.id>>:<<id>>", "reports:\u{1}:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                    .__part(w, "reports:", "user.id");
                ::cache_runtime::__private::part::PartProbe::of(&(id))
                    .__part(w, ":", "id");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `report` reads with these arguments.
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
fn report_cache_path(user: &User, id: u64) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!(
            "report", "reports:<<user.id>>:<<id>>", "reports:\u{1}:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                    .__part(w, "reports:", "user.id");
                ::cache_runtime::__private::part::PartProbe::of(&(id))
                    .__part(w, ":", "id");
            },
        ),
    )
}
/// Remove the entry that `report` reads with these arguments; return `true` if it existed.
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
async fn report_invalidate(
    user: &User,
    id: u64,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        ::cache_runtime::__private::call_site!(
            "report", "reports:<<user.id>>:<<id>>", "reports:\u{1}:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                    .__part(w, "reports:", "user.id");
                ::cache_runtime::__private::part::PartProbe::of(&(id))
                    .__part(w, ":", "id");
            },
        ),
    );
    removal.await
}
/// Run `report` and store its value, even if one is cached.
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
async fn report_refresh(user: &User, id: u64) -> Report {
    let lookup = ::cache_runtime::__private::begin_refresh_with(
            ::cache_runtime::__private::call_site!(
                "report", "reports:<<user.id>>:<<id>>", "reports:\u{1}:\u{1}",
                .ttl(600000).owner("reports:\u{2}:\u{1}")
            ),
            ::cache_runtime::__private::Handle::Current,
            ::cache_runtime::__private::shape::ShapeProbe::<Report>::NEW
                .__shape()
                .__fit(),
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                        .__part(w, "reports:", "user.id");
                    ::cache_runtime::__private::part::PartProbe::of(&(id))
                        .__part(w, ":", "id");
                },
            ),
            ::cache_runtime::__private::none,
        )
        .owned(
            &::cache_runtime::__private::call_site!(
                "report", "reports:<<user.id>>:<<id>>", "reports:\u{1}:\u{1}",
                .ttl(600000).owner("reports:\u{2}:\u{1}")
            ),
            ::cache_runtime::__private::Handle::Current,
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(user.id))
                        .__part(w, "", "owner");
                },
            ),
        );
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Report>();
                }
                load(user, id).await
            },
        )
        .await
}
