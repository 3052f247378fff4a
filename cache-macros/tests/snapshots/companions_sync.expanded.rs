unsafe fn count(&self, visits: u32) -> u32 {
    let write0 = ::cache_runtime::__private::plan(
        {
            static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(::cache_runtime::__private::WriteInfo {
                function: "count",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["visits:*"],
                shapes: &["visits:*"],
                when: ::cache_runtime::__private::When::Ok,
                debug: false,
            });
            ::cache_runtime::__private::submit!(
                ::cache_runtime::__private::Registered::Write(& SITE)
            );
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        true,
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("visits:*");
            w.end();
        }),
    );
    let shape0 = {
        let probe = ::cache_runtime::__private::shape::Probe::<u32>::NEW;
        {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let lookup = ::cache_runtime::__private::begin::<
        u32,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "count",
                companion: "",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "",
                shape: "",
                ttl: ::cache_runtime::__private::Ttl::Default,
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
            let probe = ::cache_runtime::__private::shape::Probe::<u32>::NEW;
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
            #[allow(clippy::used_underscore_binding)]
            {
                mod hashed {
                    #[diagnostic::on_unimplemented(
                        message = "the argument `visits` can't be hashed into the cache key",
                        label = "`{Self}` doesn't implement `serde::Serialize`",
                        note = "add `skip(visits)` to the attribute if it is no part of the key; or use it in the key, `<<visits>>`; or derive `serde::Serialize` for its type (add it as a bound, if that is a type parameter)",
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
                            w.argument::<(), _>("visits", self);
                        }
                    }
                }
                use hashed::Hashed;
                Hashed::hash(&visits, w);
            }
        }),
        || ::cache_runtime::__private::none(),
    );
    ::cache_runtime::__private::write_sync::<
        u32,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> u32 {
            ::cache_runtime::__private::read_sync(
                lookup,
                ::cache_runtime::__private::ttl_unset,
                ::cache_runtime::__private::unless_unset,
                move || -> u32 {
                    #[allow(unused_imports)]
                    use invalidate as _;
                    visits + 1
                },
            )
        },
    )
}
/// `count` without the cache: no entry is read or stored.
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
unsafe fn count_no_cache(&self, visits: u32) -> u32 {
    let write0 = ::cache_runtime::__private::plan(
        {
            static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(::cache_runtime::__private::WriteInfo {
                function: "count",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["visits:*"],
                shapes: &["visits:*"],
                when: ::cache_runtime::__private::When::Ok,
                debug: false,
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        true,
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("visits:*");
            w.end();
        }),
    );
    let shape0 = {
        let probe = ::cache_runtime::__private::shape::Probe::<u32>::NEW;
        {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    ::cache_runtime::__private::write_sync::<
        u32,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> u32 {
            #[allow(unused_imports)]
            use invalidate as _;
            visits + 1
        },
    )
}
/// The full key of the entry that `count` reads with these arguments.
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
unsafe fn count_cache_key(&self, visits: u32) -> ::std::string::String {
    ::cache_runtime::__private::cache_key(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "count",
                companion: "_cache_key",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "",
                shape: "",
                ttl: ::cache_runtime::__private::Ttl::Default,
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
                (&Probe(&visits)).__hash("visits", w);
            }
        }),
    )
}
/// Removes the one entry that `count` reads with these arguments; `true` if there was one.
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
unsafe fn count_invalidate(
    &self,
    visits: u32,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    ::cache_runtime::__private::invalidate_entry_sync(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "count",
                companion: "_invalidate",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "",
                shape: "",
                ttl: ::cache_runtime::__private::Ttl::Default,
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
                (&Probe(&visits)).__hash("visits", w);
            }
        }),
    )
}
/// `count`, computed and stored anew, whatever the cache holds.
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
unsafe fn count_refresh(&self, visits: u32) -> u32 {
    let write0 = ::cache_runtime::__private::plan(
        {
            static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(::cache_runtime::__private::WriteInfo {
                function: "count",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["visits:*"],
                shapes: &["visits:*"],
                when: ::cache_runtime::__private::When::Ok,
                debug: false,
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        true,
        ::cache_runtime::__private::SeesByReference::rendered(|
            w: &mut ::cache_runtime::__private::Writer<'_>|
        {
            w.text("visits:*");
            w.end();
        }),
    );
    let shape0 = {
        let probe = ::cache_runtime::__private::shape::Probe::<u32>::NEW;
        {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let lookup = ::cache_runtime::__private::begin_refresh::<
        u32,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "count",
                companion: "_refresh",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "",
                shape: "",
                ttl: ::cache_runtime::__private::Ttl::Default,
                cache_none: false,
                version: 0,
                debug: false,
                options: ::cache_runtime::__private::ReadOptions::DEFAULT,
            });
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        {
            let probe = ::cache_runtime::__private::shape::Probe::<u32>::NEW;
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
                (&Probe(&visits)).__hash("visits", w);
            }
        }),
        || ::cache_runtime::__private::none(),
    );
    ::cache_runtime::__private::write_sync::<
        u32,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        ::cache_runtime::__private::no_result,
        move || -> u32 {
            ::cache_runtime::__private::read_sync(
                lookup,
                ::cache_runtime::__private::ttl_unset,
                ::cache_runtime::__private::unless_unset,
                move || -> u32 {
                    #[allow(unused_imports)]
                    use invalidate as _;
                    visits + 1
                },
            )
        },
    )
}
