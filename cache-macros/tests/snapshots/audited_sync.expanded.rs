fn sum(a: u32, (b, _): (u32, u32)) -> u32 {
    let lookup = match {
        ::cache_runtime::__private::audit::begin_audited(
                ::cache_runtime::__private::site!(
                    "sum", "sums:<<a>>", "sums:\u{1}", .early().varies().audited()
                ),
                ::cache_runtime::__private::Handle::Current,
                true,
                ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW
                    .__shape()
                    .__fit(),
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(a))
                            .__part(w, "sums:", "a");
                        #[allow(clippy::used_underscore_binding)]
                        {
                            mod hashed {
                                #[diagnostic::on_unimplemented(
                                    message = "the argument `b` can't be hashed into the cache key",
                                    label = "`{Self}` doesn't implement `serde::Serialize`",
                                    note = "add `skip(b)` to the attribute if the key doesn't need it; or use it in the key: `<<b>>`; or derive `serde::Serialize` or `cache_runtime::CacheKey` for its type (for a type parameter, add it as a bound)",
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
                                        way.argument(w, "b", self);
                                    }
                                }
                            }
                            use hashed::Hashed;
                            Hashed::hash(
                                &b,
                                ::cache_runtime::__private::hashed::HashProbe::of(&b)
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
    let refresh = {
        let probe = ::cache_runtime::__private::mode::RefreshProbe::NEW;
        let probe = probe.and::<u32>();
        let probe = probe.and::<(u32, u32)>();
        {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::mode::probe::*;
            probe.__mode()
        }
    };
    {
        ::cache_runtime::__private::audit::argument::<u32>();
        ::cache_runtime::__private::audit::argument::<(u32, u32)>();
        #[allow(clippy::redundant_closure_call)]
        let again = {
            #[allow(unused_variables, unused_mut)]
            let a = ::core::clone::Clone::clone(&a);
            #[allow(unused_variables, unused_mut)]
            let b = ::core::clone::Clone::clone(&b);
            move || {
                #[allow(unused_variables, unused_mut)]
                let a = ::core::clone::Clone::clone(&a);
                #[allow(unused_variables, unused_mut)]
                let b = ::core::clone::Clone::clone(&b);
                (move || -> u32 { a + b })()
            }
        };
        ::cache_runtime::__private::audit::audited_sync(
            lookup,
            again,
            |lookup, task| {
                refresh
                    .read_sync(
                        lookup,
                        ::cache_runtime::__private::ttl_unset,
                        ::cache_runtime::__private::unless_unset,
                        task,
                    )
            },
        )
    }
}
