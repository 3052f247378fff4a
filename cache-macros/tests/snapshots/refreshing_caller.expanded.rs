async fn post(db: &Db, slug: &str) -> Result<Post, DbError> {
    let lookup = ::cache_runtime::__private::begin_refreshing::<
        Result<Post, DbError>,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "post",
                companion: "",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Fixed(
                    ::core::time::Duration::from_millis(60000),
                ),
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions {
                    stale: ::core::time::Duration::from_millis(60000),
                    stale_if_error: ::core::time::Duration::from_millis(3600000),
                    ..::cache_runtime::__private::ReadOptions::DEFAULT
                },
            });
            ::cache_runtime::__private::submit!(
                ::cache_runtime::__private::Registered::Read(& SITE)
            );
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        true,
        {
            let probe = ::cache_runtime::__private::shape::Probe::<
                Result<Post, DbError>,
            >::NEW;
            {
                #[allow(unused_imports)]
                use ::cache_runtime::__private::shape::probe::*;
                #[allow(unused_imports)]
                use ::cache_runtime::__private::fit::probe::*;
                let shape = (&&&&probe).__shape();
                probe.with(shape).__fit().checked()
            }
        },
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
        || ::cache_runtime::__private::none(),
    );
    let refresh = ::cache_runtime::__private::mode::Caller;
    refresh
        .read_async_or_expired(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            ::cache_runtime::__private::unless_unset,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                db.post(slug).await
            },
        )
        .await
}
/// `post` without the cache: no entry is read or stored.
#[allow(
    dead_code,
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
async fn post_no_cache(db: &Db, slug: &str) -> Result<Post, DbError> {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<Result<Post, DbError>>();
        }
        db.post(slug).await
    }
        .await
}
/// The full key of the entry that `post` reads with these arguments.
#[allow(
    dead_code,
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
fn post_cache_key(db: &Db, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "post",
                companion: "_cache_key",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Fixed(
                    ::core::time::Duration::from_millis(60000),
                ),
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions {
                    stale: ::core::time::Duration::from_millis(60000),
                    stale_if_error: ::core::time::Duration::from_millis(3600000),
                    ..::cache_runtime::__private::ReadOptions::DEFAULT
                },
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
    )
}
/// Removes the one entry that `post` reads with these arguments; `true` if there was one.
#[allow(
    dead_code,
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
async fn post_invalidate(
    db: &Db,
    slug: &str,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "post",
                companion: "_invalidate",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Fixed(
                    ::core::time::Duration::from_millis(60000),
                ),
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions {
                    stale: ::core::time::Duration::from_millis(60000),
                    stale_if_error: ::core::time::Duration::from_millis(3600000),
                    ..::cache_runtime::__private::ReadOptions::DEFAULT
                },
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
    );
    removal.await
}
/// `post`, computed and stored anew, whatever the cache holds.
#[allow(
    dead_code,
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
async fn post_refresh(db: &Db, slug: &str) -> Result<Post, DbError> {
    let lookup = ::cache_runtime::__private::begin_refresh::<
        Result<Post, DbError>,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "post",
                companion: "_refresh",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Fixed(
                    ::core::time::Duration::from_millis(60000),
                ),
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions {
                    stale: ::core::time::Duration::from_millis(60000),
                    stale_if_error: ::core::time::Duration::from_millis(3600000),
                    ..::cache_runtime::__private::ReadOptions::DEFAULT
                },
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        {
            let probe = ::cache_runtime::__private::shape::Probe::<
                Result<Post, DbError>,
            >::NEW;
            {
                #[allow(unused_imports)]
                use ::cache_runtime::__private::shape::probe::*;
                #[allow(unused_imports)]
                use ::cache_runtime::__private::fit::probe::*;
                let shape = (&&&&probe).__shape();
                probe.with(shape).__fit().checked()
            }
        },
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
        || ::cache_runtime::__private::none(),
    );
    ::cache_runtime::__private::read_async(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            ::cache_runtime::__private::unless_unset,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                db.post(slug).await
            },
        )
        .await
}
