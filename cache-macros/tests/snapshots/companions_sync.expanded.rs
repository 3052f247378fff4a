unsafe fn count(&self, visits: u32) -> u32 {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "count",
                    ::core::module_path!(),
                    &["visits:*"],
                    &["visits:*"],
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
                    w.text("visits:*");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW.__shape().__judged(),
    );
    let lookup = ::cache_runtime::__private::begin(
        ::cache_runtime::__private::site!("count", "", "",),
        ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW.__shape().__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                #[allow(clippy::used_underscore_binding)]
                {
                    mod hashed {
                        #[diagnostic::on_unimplemented(
                            message = "the argument `visits` can't be hashed into the cache key",
                            label = "`{Self}` doesn't implement `serde::Serialize`",
                            note = "add `skip(visits)` to the attribute if the key doesn't need it; or use it in the key: `<<visits>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
                        )]
                        pub(super) trait Hashed<Way> {
                            fn hash(
                                &self,
                                way: Way,
                                w: &mut ::cache_runtime::__private::Writer<'_>,
                            );
                        }
                        #[diagnostic::do_not_recommend]
                        impl<
                            T: ?::core::marker::Sized,
                            Way: ::cache_runtime::__private::hashed::Way<T>,
                        > Hashed<Way> for T {
                            fn hash(
                                &self,
                                way: Way,
                                w: &mut ::cache_runtime::__private::Writer<'_>,
                            ) {
                                way.argument(w, "visits", self);
                            }
                        }
                    }
                    use hashed::Hashed;
                    Hashed::hash(
                        &visits,
                        ::cache_runtime::__private::hashed::HashProbe::of(&visits)
                            .__way(),
                        w,
                    );
                }
            },
        ),
    );
    ::cache_runtime::__private::write_sync::<
        u32,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> u32 {
            ::cache_runtime::__private::read_sync(
                lookup,
                move || -> u32 {
                    #[allow(unused_imports)]
                    use invalidate as _;
                    visits + 1
                },
            )
        },
    )
}
/// Run `count` without the cache: no entry is read or stored.
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
unsafe fn count_no_cache(&self, visits: u32) -> u32 {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "count",
                    ::core::module_path!(),
                    &["visits:*"],
                    &["visits:*"],
                );
                &SITE
            },
            ::cache_runtime::__private::Handle::Current,
            true,
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    w.text("visits:*");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW.__shape().__judged(),
    );
    ::cache_runtime::__private::write_sync::<
        u32,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> u32 {
            #[allow(unused_imports)]
            use invalidate as _;
            visits + 1
        },
    )
}
/// Return the full key of the entry that `count` reads with these arguments.
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
unsafe fn count_cache_key(&self, visits: u32) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!("count", "", "",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::quiet::CompanionProbe::of(&visits)
                    .__hash(w, "visits");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `count` reads with these arguments.
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
unsafe fn count_cache_path(&self, visits: u32) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!("count", "", "",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::quiet::CompanionProbe::of(&visits)
                    .__hash(w, "visits");
            },
        ),
    )
}
/// Remove the entry that `count` reads with these arguments; return `true` if it existed.
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
unsafe fn count_invalidate(
    &self,
    visits: u32,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    ::cache_runtime::__private::invalidate_entry_sync(
        ::cache_runtime::__private::call_site!("count", "", "",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::quiet::CompanionProbe::of(&visits)
                    .__hash(w, "visits");
            },
        ),
    )
}
/// Run `count` and store its value, even if one is cached.
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
unsafe fn count_refresh(&self, visits: u32) -> u32 {
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "count",
                    ::core::module_path!(),
                    &["visits:*"],
                    &["visits:*"],
                );
                &SITE
            },
            ::cache_runtime::__private::Handle::Current,
            true,
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    w.text("visits:*");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW.__shape().__judged(),
    );
    let lookup = ::cache_runtime::__private::begin_refresh(
        ::cache_runtime::__private::call_site!("count", "", "",),
        ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW.__shape().__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::quiet::CompanionProbe::of(&visits)
                    .__hash(w, "visits");
            },
        ),
    );
    ::cache_runtime::__private::write_sync::<
        u32,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> u32 {
            ::cache_runtime::__private::read_sync(
                lookup,
                move || -> u32 {
                    #[allow(unused_imports)]
                    use invalidate as _;
                    visits + 1
                },
            )
        },
    )
}
