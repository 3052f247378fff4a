/// A post.
#[cfg(feature = "posts")]
#[expect(deprecated)]
pub(super) async fn get_post<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> Option<Post> {
    let lookup = match {
        ::cache_runtime::__private::begin_with(
                ::cache_runtime::__private::site!(
                    "get_post", "posts:<<slug>>", "posts:\u{1}", .computed_ttl().varies()
                ),
                ::cache_runtime::__private::Handle::Current,
                true,
                ::cache_runtime::__private::shape::ShapeProbe::<Option<Post>>::NEW
                    .__shape()
                    .__fit(),
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(slug))
                            .__part(w, "posts:", "slug");
                        #[allow(clippy::used_underscore_binding)]
                        {
                            mod hashed {
                                #[diagnostic::on_unimplemented(
                                    message = "the argument `page` can't be hashed into the cache key",
                                    label = "`{Self}` doesn't implement `serde::Serialize`",
                                    note = "add `skip(page)` to the attribute if the key doesn't need it; or use it in the key: `<<page>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                        way.argument(w, "page", self);
                                    }
                                }
                            }
                            use hashed::Hashed;
                            Hashed::hash(
                                &page,
                                ::cache_runtime::__private::hashed::HashProbe::of(&page)
                                    .__way(),
                                w,
                            );
                        }
                    },
                ),
                |_| ::cache_runtime::__private::ttl(ttl::SHORT),
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
                    return ::cache_runtime::__private::never::<Option<Post>>();
                }
                slug.make_ascii_lowercase();
                db.post(slug, page).await
            },
        )
        .await
}
#[cfg(feature = "posts")]
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
#[allow(deprecated)]
pub(super) async fn get_post_no_cache<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> Option<Post> {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<Option<Post>>();
        }
        slug.make_ascii_lowercase();
        db.post(slug, page).await
    }
        .await
}
#[cfg(feature = "posts")]
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
#[allow(deprecated)]
pub(super) fn get_post_cache_key<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
                ::cache_runtime::__private::quiet::CompanionProbe::of(&page)
                    .__hash(w, "page");
            },
        ),
    )
}
#[cfg(feature = "posts")]
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
#[allow(deprecated)]
pub(super) fn get_post_cache_path<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> ::std::string::String {
    ::cache_runtime::__private::cache_path(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}",
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
                ::cache_runtime::__private::quiet::CompanionProbe::of(&page)
                    .__hash(w, "page");
            },
        ),
    )
}
#[cfg(feature = "posts")]
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
#[allow(deprecated)]
pub(super) async fn get_post_invalidate<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
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
                ::cache_runtime::__private::quiet::CompanionProbe::of(&page)
                    .__hash(w, "page");
            },
        ),
    );
    removal.await
}
#[cfg(feature = "posts")]
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
#[allow(deprecated)]
pub(super) async fn get_post_refresh<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> Option<Post> {
    let lookup = ::cache_runtime::__private::begin_refresh_with(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}", .computed_ttl()
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::shape::ShapeProbe::<Option<Post>>::NEW
            .__shape()
            .__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
                ::cache_runtime::__private::quiet::CompanionProbe::of(&page)
                    .__hash(w, "page");
            },
        ),
        |_| ::cache_runtime::__private::ttl(ttl::SHORT),
    );
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Option<Post>>();
                }
                slug.make_ascii_lowercase();
                db.post(slug, page).await
            },
        )
        .await
}
