async fn score(player: u32, #[cfg(all())] limit: u64) -> u64 {
    let lookup = match {
        ::cache_runtime::__private::begin_refreshing(
                ::cache_runtime::__private::site!(
                    "score", "scores:<<player>>", "scores:\u{1}", .ttl(60000)
                    .stale(60000).early().jitter(0.1f64).varies()
                ),
                ::cache_runtime::__private::Handle::Current,
                true,
                ::cache_runtime::__private::shape::ShapeProbe::<u64>::NEW
                    .__shape()
                    .__fit(),
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(player))
                            .__part(w, "scores:", "player");
                        #[cfg(all())] #[allow(clippy::used_underscore_binding)]
                        {
                            mod hashed {
                                #[diagnostic::on_unimplemented(
                                    message = "the argument `limit` can't be hashed into the cache key",
                                    label = "`{Self}` doesn't implement `serde::Serialize`",
                                    note = "add `skip(limit)` to the attribute if the key doesn't need it; or use it in the key: `<<limit>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                        way.argument(w, "limit", self);
                                    }
                                }
                            }
                            use hashed::Hashed;
                            Hashed::hash(
                                &limit,
                                ::cache_runtime::__private::hashed::HashProbe::of(&limit)
                                    .__way(),
                                w,
                            );
                        }
                    },
                ),
                ::cache_runtime::__private::none,
            )
            .hit()
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
    let refresh = {
        let probe = ::cache_runtime::__private::mode::RefreshProbe::NEW;
        let probe = probe.and::<u32>();
        #[cfg(all())]
        let probe = probe.and::<u64>();
        {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::mode::probe::*;
            probe.__mode()
        }
    };
    refresh
        .read_async(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            move |score| *score > limit,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<u64>();
                }
                player.into()
            },
        )
        .await
}
/// Run `score` without the cache: no entry is read or stored.
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
async fn score_no_cache(player: u32, #[cfg(all())] limit: u64) -> u64 {
    async move {
        if false {
            #[allow(unreachable_code)] return ::cache_runtime::__private::never::<u64>();
        }
        player.into()
    }
        .await
}
/// Return the full key of the entry that `score` reads with these arguments.
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
fn score_cache_key(player: u32, #[cfg(all())] limit: u64) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!(
            "score", "scores:<<player>>", "scores:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(player))
                    .__part(w, "scores:", "player");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `score` reads with these arguments.
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
fn score_cache_path(player: u32, #[cfg(all())] limit: u64) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!(
            "score", "scores:<<player>>", "scores:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(player))
                    .__part(w, "scores:", "player");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
            },
        ),
    )
}
/// Remove the entry that `score` reads with these arguments; return `true` if it existed.
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
async fn score_invalidate(
    player: u32,
    #[cfg(all())]
    limit: u64,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        ::cache_runtime::__private::call_site!(
            "score", "scores:<<player>>", "scores:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(player))
                    .__part(w, "scores:", "player");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
            },
        ),
    );
    removal.await
}
/// Run `score` and store its value, even if one is cached.
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
async fn score_refresh(player: u32, #[cfg(all())] limit: u64) -> u64 {
    let lookup = ::cache_runtime::__private::begin_refresh(
        ::cache_runtime::__private::call_site!(
            "score", "scores:<<player>>", "scores:\u{1}", .ttl(60000).stale(60000)
            .early().jitter(0.1f64)
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<u64>::NEW.__shape().__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(player))
                    .__part(w, "scores:", "player");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
            },
        ),
    );
    ::cache_runtime::__private::read_async_if(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            |score| *score > limit,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<u64>();
                }
                player.into()
            },
        )
        .await
}
