/// A post.
#[cfg(feature = "posts")]
#[expect(deprecated)]
pub(super) async fn get_post<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> Option<Post> {
    let lookup = ::cache_runtime::__private::begin::<
        Option<Post>,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "get_post",
                companion: "",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Computed,
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions::DEFAULT,
            });
            ::cache_runtime::__private::submit!(
                ::cache_runtime::__private::Registered::Read(& SITE)
            );
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        true,
        {
            let probe = ::cache_runtime::__private::shape::Probe::<Option<Post>>::NEW;
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
            #[allow(clippy::used_underscore_binding)]
            {
                mod hashed {
                    #[diagnostic::on_unimplemented(
                        message = "the argument `page` can't be hashed into the cache key",
                        label = "`{Self}` doesn't implement `serde::Serialize`",
                        note = "add `skip(page)` to the attribute if it is no part of the key; or use it in the key, `<<page>>`; or derive `serde::Serialize` for its type (add it as a bound, if that is a type parameter)",
                    )]
                    pub(super) trait Hashed {
                        fn hash(&self, w: &mut ::cache_runtime::__private::Writer<'_>);
                    }
                    #[diagnostic::do_not_recommend]
                    impl<
                        T: ::cache_runtime::__private::HashArgument<()>
                            + ?::core::marker::Sized,
                    > Hashed for T {
                        fn hash(&self, w: &mut ::cache_runtime::__private::Writer<'_>) {
                            w.argument::<(), _>("page", self);
                        }
                    }
                }
                use hashed::Hashed;
                Hashed::hash(&page, w);
            }
        }),
        || ::cache_runtime::__private::ttl(ttl::SHORT),
    );
    ::cache_runtime::__private::read_async(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            ::cache_runtime::__private::unless_unset,
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
/// `get_post` without the cache: no entry is read or stored.
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
/// The full key of the entry that `get_post` reads with these arguments.
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
#[allow(deprecated)]
pub(super) fn get_post_cache_key<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "get_post",
                companion: "_cache_key",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Computed,
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions::DEFAULT,
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
            {
                struct Probe<'a, T: ?::core::marker::Sized>(&'a T);
                trait Hashed {
                    fn __hash(
                        &self,
                        name: &'static ::core::primitive::str,
                        w: &mut ::cache_runtime::__private::Writer<'_>,
                    );
                }
                impl<
                    T: ::cache_runtime::__private::HashArgument<()>
                        + ?::core::marker::Sized,
                > Hashed for Probe<'_, T> {
                    fn __hash(
                        &self,
                        name: &'static ::core::primitive::str,
                        w: &mut ::cache_runtime::__private::Writer<'_>,
                    ) {
                        w.argument::<(), _>(name, self.0);
                    }
                }
                trait Unhashed {
                    fn __hash(
                        &self,
                        _: &'static ::core::primitive::str,
                        _: &mut ::cache_runtime::__private::Writer<'_>,
                    ) {}
                }
                impl<T: ?::core::marker::Sized> Unhashed for &Probe<'_, T> {}
                (&Probe(&page)).__hash("page", w);
            }
        }),
    )
}
#[cfg(feature = "posts")]
/// Removes the one entry that `get_post` reads with these arguments; `true` if there was one.
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
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "get_post",
                companion: "_invalidate",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Computed,
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions::DEFAULT,
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
            {
                struct Probe<'a, T: ?::core::marker::Sized>(&'a T);
                trait Hashed {
                    fn __hash(
                        &self,
                        name: &'static ::core::primitive::str,
                        w: &mut ::cache_runtime::__private::Writer<'_>,
                    );
                }
                impl<
                    T: ::cache_runtime::__private::HashArgument<()>
                        + ?::core::marker::Sized,
                > Hashed for Probe<'_, T> {
                    fn __hash(
                        &self,
                        name: &'static ::core::primitive::str,
                        w: &mut ::cache_runtime::__private::Writer<'_>,
                    ) {
                        w.argument::<(), _>(name, self.0);
                    }
                }
                trait Unhashed {
                    fn __hash(
                        &self,
                        _: &'static ::core::primitive::str,
                        _: &mut ::cache_runtime::__private::Writer<'_>,
                    ) {}
                }
                impl<T: ?::core::marker::Sized> Unhashed for &Probe<'_, T> {}
                (&Probe(&page)).__hash("page", w);
            }
        }),
    );
    removal.await
}
#[cfg(feature = "posts")]
/// `get_post`, computed and stored anew, whatever the cache holds.
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
#[allow(deprecated)]
pub(super) async fn get_post_refresh<D: Database>(
    db: &D,
    mut slug: String,
    page: u32,
) -> Option<Post> {
    let lookup = ::cache_runtime::__private::begin_refresh::<
        Option<Post>,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "get_post",
                companion: "_refresh",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Computed,
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions::DEFAULT,
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        {
            let probe = ::cache_runtime::__private::shape::Probe::<Option<Post>>::NEW;
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
            {
                struct Probe<'a, T: ?::core::marker::Sized>(&'a T);
                trait Hashed {
                    fn __hash(
                        &self,
                        name: &'static ::core::primitive::str,
                        w: &mut ::cache_runtime::__private::Writer<'_>,
                    );
                }
                impl<
                    T: ::cache_runtime::__private::HashArgument<()>
                        + ?::core::marker::Sized,
                > Hashed for Probe<'_, T> {
                    fn __hash(
                        &self,
                        name: &'static ::core::primitive::str,
                        w: &mut ::cache_runtime::__private::Writer<'_>,
                    ) {
                        w.argument::<(), _>(name, self.0);
                    }
                }
                trait Unhashed {
                    fn __hash(
                        &self,
                        _: &'static ::core::primitive::str,
                        _: &mut ::cache_runtime::__private::Writer<'_>,
                    ) {}
                }
                impl<T: ?::core::marker::Sized> Unhashed for &Probe<'_, T> {}
                (&Probe(&page)).__hash("page", w);
            }
        }),
        || ::cache_runtime::__private::ttl(ttl::SHORT),
    );
    ::cache_runtime::__private::read_async(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            ::cache_runtime::__private::unless_unset,
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
