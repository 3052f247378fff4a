async fn handler<const N: usize, T>(
    State(App { db, .. }): State<App>,
    Path(slug): Path<String>,
    mut page: impl Pager,
    [first,
    rest @ ..,
    ]: [u8; N],
) -> Result<Json<Post>, AppError>
where
    T: Source,
{
    let lookup = match {
        ::cache_runtime::__private::answer(
            ::cache_runtime::__private::site!(
                "handler", "posts:<<slug>>", "posts:\u{1}", .varies()
            ),
            ::cache_runtime::__private::shape::ShapeProbe::<
                Result<Json<Post>, AppError>,
            >::NEW
                .__shape()
                .__known()
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
                    #[allow(clippy::used_underscore_binding)]
                    {
                        mod hashed {
                            #[diagnostic::on_unimplemented(
                                message = "the argument `first` can't be hashed into the cache key",
                                label = "`{Self}` doesn't implement `serde::Serialize`",
                                note = "add `skip(first)` to the attribute if the key doesn't need it; or use it in the key: `<<first>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                    way.argument(w, "first", self);
                                }
                            }
                        }
                        use hashed::Hashed;
                        Hashed::hash(
                            &first,
                            ::cache_runtime::__private::hashed::HashProbe::of(&first)
                                .__way(),
                            w,
                        );
                    }
                    #[allow(clippy::used_underscore_binding)]
                    {
                        mod hashed {
                            #[diagnostic::on_unimplemented(
                                message = "the argument `rest` can't be hashed into the cache key",
                                label = "`{Self}` doesn't implement `serde::Serialize`",
                                note = "add `skip(rest)` to the attribute if the key doesn't need it; or use it in the key: `<<rest>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                    way.argument(w, "rest", self);
                                }
                            }
                        }
                        use hashed::Hashed;
                        Hashed::hash(
                            &rest,
                            ::cache_runtime::__private::hashed::HashProbe::of(&rest)
                                .__way(),
                            w,
                        );
                    }
                },
            ),
        )
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
    ::cache_runtime::__private::read_async(
            lookup,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<
                        Result<Json<Post>, AppError>,
                    >();
                }
                page.advance();
                db.post::<T>(&slug).await.map(Json)
            },
        )
        .await
}
