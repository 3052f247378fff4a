async fn page(db: &Db, slug: &str) -> Result<Page, DbError> {
    let adapter = ::cache_runtime::__private::adapter::Outer::<
        Result<Page, DbError>,
    >::NEW
        .__shape()
        .__value(|page| page.into_parts())
        .__response(|(head, body)| Page::new(head, body));
    let lookup = match {
        ::cache_runtime::__private::answer(
            ::cache_runtime::__private::site!("page", "pages:<<slug>>", "pages:\u{1}",),
            adapter.returns().__shape().__fit(),
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(slug))
                        .__part(w, "pages:", "slug");
                },
            ),
        )
    } {
        ::core::result::Result::Ok(value) => return adapter.close(value),
        ::core::result::Result::Err(lookup) => lookup,
    };
    adapter
        .close_async(
            ::cache_runtime::__private::read_async_if(
                lookup,
                ::cache_runtime::__private::ttl_unset,
                |(head, _)| head.is_error(),
                adapter
                    .open_async(async move {
                        if false {
                            #[allow(unreachable_code)]
                            return ::cache_runtime::__private::never::<
                                Result<Page, DbError>,
                            >();
                        }
                        db.page(slug).await
                    }),
            ),
        )
        .await
}
/// Run `page` without the cache: no entry is read or stored.
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
async fn page_no_cache(db: &Db, slug: &str) -> Result<Page, DbError> {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<Result<Page, DbError>>();
        }
        db.page(slug).await
    }
        .await
}
/// Return the full key of the entry that `page` reads with these arguments.
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
fn page_cache_key(db: &Db, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!("page", "pages:<<slug>>", "pages:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "pages:", "slug");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `page` reads with these arguments.
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
fn page_cache_path(db: &Db, slug: &str) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!("page", "pages:<<slug>>", "pages:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "pages:", "slug");
            },
        ),
    )
}
/// Remove the entry that `page` reads with these arguments; return `true` if it existed.
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
async fn page_invalidate(
    db: &Db,
    slug: &str,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    let removal = ::cache_runtime::__private::invalidate_entry(
        ::cache_runtime::__private::call_site!("page", "pages:<<slug>>", "pages:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "pages:", "slug");
            },
        ),
    );
    removal.await
}
/// Run `page` and store its value, even if one is cached.
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
async fn page_refresh(db: &Db, slug: &str) -> Result<Page, DbError> {
    let adapter = ::cache_runtime::__private::adapter::Outer::<
        Result<Page, DbError>,
    >::NEW
        .__shape()
        .__value(|page| page.into_parts())
        .__response(|(head, body)| Page::new(head, body));
    let lookup = ::cache_runtime::__private::begin_refresh(
        ::cache_runtime::__private::call_site!("page", "pages:<<slug>>", "pages:\u{1}",),
        adapter.returns().__shape().__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "pages:", "slug");
            },
        ),
    );
    adapter
        .close_async(
            ::cache_runtime::__private::read_async_if(
                lookup,
                ::cache_runtime::__private::ttl_unset,
                |(head, _)| head.is_error(),
                adapter
                    .open_async(async move {
                        if false {
                            #[allow(unreachable_code)]
                            return ::cache_runtime::__private::never::<
                                Result<Page, DbError>,
                            >();
                        }
                        db.page(slug).await
                    }),
            ),
        )
        .await
}
