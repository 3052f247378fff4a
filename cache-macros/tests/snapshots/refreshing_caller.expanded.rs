async fn post(db: &Db, slug: &str) -> Result<Post, DbError> {
    let lookup = match {
        ::cache_runtime::__private::begin_refreshing(
                ::cache_runtime::__private::site!(
                    "post", "posts:<<slug>>", "posts:\u{1}", .ttl(60000).stale(60000)
                    .stale_if_error(3600000)
                ),
                ::cache_runtime::__private::Handle::Current,
                true,
                ::cache_runtime::__private::shape::ShapeProbe::<
                    Result<Post, DbError>,
                >::NEW
                    .__shape()
                    .__fit(),
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(slug))
                            .__part(w, "posts:", "slug");
                    },
                ),
                ::cache_runtime::__private::none,
            )
            .hit()
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
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
/// Run `post` without the cache: no entry is read or stored.
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
/// Return the full key of the entry that `post` reads with these arguments.
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
fn post_cache_key(db: &Db, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!("post", "posts:<<slug>>", "posts:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `post` reads with these arguments.
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
fn post_cache_path(db: &Db, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!("post", "posts:<<slug>>", "posts:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Remove the entry that `post` reads with these arguments; return `true` if it existed.
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
async fn post_invalidate(
    db: &Db,
    slug: &str,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        ::cache_runtime::__private::call_site!("post", "posts:<<slug>>", "posts:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    );
    removal.await
}
/// Run `post` and store its value, even if one is cached.
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
async fn post_refresh(db: &Db, slug: &str) -> Result<Post, DbError> {
    let lookup = ::cache_runtime::__private::begin_refresh(
        ::cache_runtime::__private::call_site!(
            "post", "posts:<<slug>>", "posts:\u{1}", .ttl(60000).stale(60000)
            .stale_if_error(3600000)
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, DbError>>::NEW
            .__shape()
            .__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    );
    ::cache_runtime::__private::read_async(
            lookup,
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
