async fn list(
    db: &Db,
    #[cfg(feature = "tags")]
    tags: BTreeSet<String>,
    r#type: Kind,
    _: Trace,
) -> Vec<Post> {
    let lookup = match {
        ::cache_runtime::__private::answer(
            ::cache_runtime::__private::site!("list", "", "", .preset("posts")),
            ::cache_runtime::__private::shape::ShapeProbe::<Vec<Post>>::NEW
                .__shape()
                .__fit(),
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    #[cfg(feature = "tags")] #[allow(clippy::used_underscore_binding)]
                    {
                        mod hashed {
                            #[diagnostic::on_unimplemented(
                                message = "the argument `tags` can't be hashed into the cache key",
                                label = "`{Self}` doesn't implement `serde::Serialize`",
                                note = "add `skip(tags)` to the attribute if the key doesn't need it; or use it in the key: `<<tags>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                    way.argument(w, "tags", self);
                                }
                            }
                        }
                        use hashed::Hashed;
                        Hashed::hash(
                            &tags,
                            ::cache_runtime::__private::hashed::HashProbe::of(&tags)
                                .__way(),
                            w,
                        );
                    }
                    #[allow(clippy::used_underscore_binding)]
                    {
                        mod hashed {
                            #[diagnostic::on_unimplemented(
                                message = "the argument `type` can't be hashed into the cache key",
                                label = "`{Self}` doesn't implement `serde::Serialize`",
                                note = "add `skip(r#type)` to the attribute if the key doesn't need it; or use it in the key: `<<r#type>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                    way.argument(w, "type", self);
                                }
                            }
                        }
                        use hashed::Hashed;
                        Hashed::hash(
                            &r#type,
                            ::cache_runtime::__private::hashed::HashProbe::of(&r#type)
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
                    return ::cache_runtime::__private::never::<Vec<Post>>();
                }
                db.list(tags, r#type).await
            },
        )
        .await
}
