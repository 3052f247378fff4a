async fn get_post(tx: &mut Transaction<'_>, slug: &str) -> Result<Post, Error> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(&mut *tx),
    ));
    let lookup = match {
        ::cache_runtime::__private::begin_with(
                ::cache_runtime::__private::site!(
                    "get_post", "posts:<<slug>>", "posts:\u{1}", .ttl(600000)
                ),
                ::cache_runtime::__private::Handle::Current,
                !open,
                ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
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
    ::cache_runtime::__private::read_async(
            lookup,
            ::cache_runtime::__private::uncached_if(
                open,
                async move {
                    if false {
                        #[allow(unreachable_code)]
                        return ::cache_runtime::__private::never::<
                            Result<Post, Error>,
                        >();
                    }
                    tx.post(slug).await
                },
            ),
        )
        .await
}
/// Run `get_post` without the cache: no entry is read or stored.
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
async fn get_post_no_cache(tx: &mut Transaction<'_>, slug: &str) -> Result<Post, Error> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(&mut *tx),
    ));
    ::cache_runtime::__private::uncached_if(
            open,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, Error>>();
                }
                tx.post(slug).await
            },
        )
        .await
}
/// Return the full key of the entry that `get_post` reads with these arguments.
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
fn get_post_cache_key(tx: &mut Transaction<'_>, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `get_post` reads with these arguments.
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
fn get_post_cache_path(tx: &mut Transaction<'_>, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Remove the entry that `get_post` reads with these arguments; return `true` if it existed.
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
async fn get_post_invalidate(
    tx: &mut Transaction<'_>,
    slug: &str,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}",
        ),
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
/// Run `get_post` and store its value, even if one is cached.
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
async fn get_post_refresh(tx: &mut Transaction<'_>, slug: &str) -> Result<Post, Error> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(&mut *tx),
    ));
    let lookup = ::cache_runtime::__private::begin_refresh_if(
        !open,
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}", .ttl(600000)
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
        ::cache_runtime::__private::none,
    );
    ::cache_runtime::__private::read_async(
            lookup,
            ::cache_runtime::__private::uncached_if(
                open,
                async move {
                    if false {
                        #[allow(unreachable_code)]
                        return ::cache_runtime::__private::never::<
                            Result<Post, Error>,
                        >();
                    }
                    tx.post(slug).await
                },
            ),
        )
        .await
}
