fn get_post(state: &State, slug: &str) -> Result<Post, Error> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(state.tx),
    ));
    let lookup = ::cache_runtime::__private::begin_with(
        ::cache_runtime::__private::site!("get_post", "posts:<<slug>>", "posts:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        !open
            && match () {
                () if slug.len() < 10 => true,
                () => false,
            },
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
    ::cache_runtime::__private::read_sync(
        lookup,
        ::cache_runtime::__private::uncached_sync_if(
            open,
            move || -> Result<Post, Error> { state.post(slug) },
        ),
    )
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
fn get_post_no_cache(state: &State, slug: &str) -> Result<Post, Error> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(state.tx),
    ));
    (::cache_runtime::__private::uncached_sync_if(
        open,
        move || -> Result<Post, Error> { state.post(slug) },
    ))()
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
fn get_post_cache_key(state: &State, slug: &str) -> ::std::string::String {
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
fn get_post_cache_path(state: &State, slug: &str) -> ::std::string::String {
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
fn get_post_invalidate(
    state: &State,
    slug: &str,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    ::cache_runtime::__private::invalidate_entry_sync(
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
fn get_post_refresh(state: &State, slug: &str) -> Result<Post, Error> {
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(state.tx),
    ));
    let lookup = ::cache_runtime::__private::begin_refresh_if(
        !open,
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}",
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
    ::cache_runtime::__private::read_sync(
        lookup,
        ::cache_runtime::__private::uncached_sync_if(
            open,
            move || -> Result<Post, Error> { state.post(slug) },
        ),
    )
}
