async fn get_post(
    db: Db,
    mut slug: String,
    #[cfg(all())]
    limit: u64,
) -> Result<Post, DbError> {
    let lookup = match {
        ::cache_runtime::__private::audit::begin_audited(
                ::cache_runtime::__private::site!(
                    "get_post", "posts:<<slug>>", "posts:\u{1}", .ttl(600000).varies()
                    .audited_at(0.01f64)
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
                        #[allow(clippy::used_underscore_binding)]
                        {
                            mod hashed {
                                #[diagnostic::on_unimplemented(
                                    message = "the argument `db` can't be hashed into the cache key",
                                    label = "`{Self}` doesn't implement `serde::Serialize`",
                                    note = "add `skip(db)` to the attribute if the key doesn't need it; or use it in the key: `<<db>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                        way.argument(w, "db", self);
                                    }
                                }
                            }
                            use hashed::Hashed;
                            Hashed::hash(
                                &db,
                                ::cache_runtime::__private::hashed::HashProbe::of(&db)
                                    .__way(),
                                w,
                            );
                        }
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
    {
        ::cache_runtime::__private::audit::argument::<Db>();
        ::cache_runtime::__private::audit::argument::<String>();
        #[cfg(all())] ::cache_runtime::__private::audit::argument::<u64>();
        #[allow(clippy::redundant_closure_call)]
        let again = {
            #[allow(unused_variables, unused_mut)]
            let db = ::core::clone::Clone::clone(&db);
            let _ = &mut slug;
            #[allow(unused_variables, unused_mut)]
            let slug = ::core::clone::Clone::clone(&slug);
            #[cfg(all())]
            #[allow(unused_variables, unused_mut)]
            let limit = ::core::clone::Clone::clone(&limit);
            move || {
                #[allow(unused_variables, unused_mut)]
                let db = ::core::clone::Clone::clone(&db);
                #[allow(unused_variables, unused_mut)]
                let mut slug = ::core::clone::Clone::clone(&slug);
                #[cfg(all())]
                #[allow(unused_variables, unused_mut)]
                let limit = ::core::clone::Clone::clone(&limit);
                async move {
                    if false {
                        #[allow(unreachable_code)]
                        return ::cache_runtime::__private::never::<
                            Result<Post, DbError>,
                        >();
                    }
                    slug.push('/');
                    db.post(&slug).await
                }
            }
        };
        ::cache_runtime::__private::audit::audited(
            lookup,
            again,
            |lookup, task| ::cache_runtime::__private::read_async_if(
                lookup,
                ::cache_runtime::__private::ttl_unset,
                |post| post.id == limit,
                task,
            ),
        )
    }
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
async fn get_post_no_cache(
    db: Db,
    mut slug: String,
    #[cfg(all())]
    limit: u64,
) -> Result<Post, DbError> {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<Result<Post, DbError>>();
        }
        slug.push('/');
        db.post(&slug).await
    }
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
fn get_post_cache_key(
    db: Db,
    mut slug: String,
    #[cfg(all())]
    limit: u64,
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
                ::cache_runtime::__private::quiet::CompanionProbe::of(&db)
                    .__hash(w, "db");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
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
fn get_post_cache_path(
    db: Db,
    mut slug: String,
    #[cfg(all())]
    limit: u64,
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
                ::cache_runtime::__private::quiet::CompanionProbe::of(&db)
                    .__hash(w, "db");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
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
    db: Db,
    mut slug: String,
    #[cfg(all())]
    limit: u64,
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
                ::cache_runtime::__private::quiet::CompanionProbe::of(&db)
                    .__hash(w, "db");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
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
async fn get_post_refresh(
    db: Db,
    mut slug: String,
    #[cfg(all())]
    limit: u64,
) -> Result<Post, DbError> {
    let lookup = ::cache_runtime::__private::begin_refresh(
        ::cache_runtime::__private::call_site!(
            "get_post", "posts:<<slug>>", "posts:\u{1}", .ttl(600000)
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<Result<Post, DbError>>::NEW
            .__shape()
            .__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
                ::cache_runtime::__private::quiet::CompanionProbe::of(&db)
                    .__hash(w, "db");
                #[cfg(all())]
                ::cache_runtime::__private::quiet::CompanionProbe::of(&limit)
                    .__hash(w, "limit");
            },
        ),
    );
    ::cache_runtime::__private::read_async_if(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            |post| post.id == limit,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                slug.push('/');
                db.post(&slug).await
            },
        )
        .await
}
