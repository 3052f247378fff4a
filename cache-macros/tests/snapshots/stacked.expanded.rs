#[tracing::instrument]
fn publish(slug: &str) -> Result<Post, Error> {
    const _: () = ::core::assert!(
        ! renamed::__private::reaches("drafts:\u{1}", "posts:\u{1}"),
        "the pattern `drafts:<<slug>>` reaches this function's own key `posts:<<slug>>`, so that every call would remove the entry it has just made: take the pattern away, or narrow it; invalidate this key in the functions that write"
    );
    const _: () = ::core::assert!(
        ! renamed::__private::reaches("feeds:\u{1}", "posts:\u{1}"),
        "the pattern `feeds:<<result.author>>` reaches this function's own key `posts:<<slug>>`, so that every call would remove the entry it has just made: take the pattern away, or narrow it; invalidate this key in the functions that write"
    );
    let write0 = renamed::__private::plan(
        {
            static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(renamed::__private::WriteInfo {
                function: "publish",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["drafts:<<slug>>"],
                shapes: &["drafts:\u{1}"],
                when: renamed::__private::When::Ok,
                debug: false,
            });
            renamed::__private::submit!(renamed::__private::Registered::Write(& SITE));
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("drafts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
            w.end();
        }),
    );
    let shape0 = {
        let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
        {
            #[allow(unused_imports)]
            use renamed::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let write1 = renamed::__private::plan(
        {
            static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(renamed::__private::WriteInfo {
                function: "publish",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["feeds:<<result.author>>"],
                shapes: &["feeds:\u{1}"],
                when: renamed::__private::When::Always,
                debug: false,
            });
            renamed::__private::submit!(renamed::__private::Registered::Write(& SITE));
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("feeds:");
            w.result();
            w.end();
        }),
    );
    let shape1 = {
        let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
        {
            #[allow(unused_imports)]
            use renamed::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let lookup = renamed::__private::begin::<
        Result<Post, Error>,
        _,
        _,
        _,
    >(
        {
            static SITE: renamed::__private::ReadSite = renamed::__private::ReadSite::new(renamed::__private::ReadInfo {
                function: "publish",
                companion: "",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: renamed::__private::Ttl::Default,
                cache_none: false,
                version: 0,
                debug: false,
                options: renamed::__private::ReadOptions::DEFAULT,
            });
            renamed::__private::submit!(renamed::__private::Registered::Read(& SITE));
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        {
            let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
            {
                #[allow(unused_imports)]
                use renamed::__private::shape::probe::*;
                #[allow(unused_imports)]
                use renamed::__private::fit::probe::*;
                let shape = (&&&&probe).__shape();
                probe.with(shape).__fit().checked()
            }
        },
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
        || renamed::__private::none(),
    );
    renamed::__private::write_sync::<
        Result<Post, Error>,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        renamed::__private::no_result,
        move || -> Result<Post, Error> {
            renamed::__private::write_sync::<
                Result<Post, Error>,
                _,
                _,
                _,
            >(
                write1,
                shape1,
                |result, w: &mut renamed::__private::Writer<'_>| {
                    match &(result.author) {
                        value => {
                            #[allow(unused_imports)]
                            use renamed::__private::part::probe::*;
                            (&&&&renamed::__private::part::Probe(value))
                                .__part()
                                .write(w, "result.author", value);
                        }
                    }
                },
                move || -> Result<Post, Error> {
                    renamed::__private::read_sync(
                        lookup,
                        renamed::__private::ttl_unset,
                        renamed::__private::unless_unset,
                        move || -> Result<Post, Error> {
                            #[allow(unused_imports)]
                            use cache_runtime::cacheable as _;
                            #[allow(unused_imports)]
                            use invalidate as _;
                            store(slug)?;
                            load(slug)
                        },
                    )
                },
            )
        },
    )
}
/// `publish` without the cache: no entry is read or stored.
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
fn publish_no_cache(slug: &str) -> Result<Post, Error> {
    let write0 = renamed::__private::plan(
        {
            static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(renamed::__private::WriteInfo {
                function: "publish",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["drafts:<<slug>>"],
                shapes: &["drafts:\u{1}"],
                when: renamed::__private::When::Ok,
                debug: false,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("drafts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
            w.end();
        }),
    );
    let shape0 = {
        let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
        {
            #[allow(unused_imports)]
            use renamed::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let write1 = renamed::__private::plan(
        {
            static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(renamed::__private::WriteInfo {
                function: "publish",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["feeds:<<result.author>>"],
                shapes: &["feeds:\u{1}"],
                when: renamed::__private::When::Always,
                debug: false,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("feeds:");
            w.result();
            w.end();
        }),
    );
    let shape1 = {
        let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
        {
            #[allow(unused_imports)]
            use renamed::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    renamed::__private::write_sync::<
        Result<Post, Error>,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        renamed::__private::no_result,
        move || -> Result<Post, Error> {
            renamed::__private::write_sync::<
                Result<Post, Error>,
                _,
                _,
                _,
            >(
                write1,
                shape1,
                |result, w: &mut renamed::__private::Writer<'_>| {
                    match &(result.author) {
                        value => {
                            #[allow(unused_imports)]
                            use renamed::__private::part::probe::*;
                            (&&&&renamed::__private::part::Probe(value))
                                .__part()
                                .write(w, "result.author", value);
                        }
                    }
                },
                move || -> Result<Post, Error> {
                    #[allow(unused_imports)]
                    use cache_runtime::cacheable as _;
                    #[allow(unused_imports)]
                    use invalidate as _;
                    store(slug)?;
                    load(slug)
                },
            )
        },
    )
}
/// The full key of the entry that `publish` reads with these arguments.
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
fn publish_cache_key(slug: &str) -> ::std::string::String {
    renamed::__private::cache_key(
        {
            static SITE: renamed::__private::ReadSite = renamed::__private::ReadSite::new(renamed::__private::ReadInfo {
                function: "publish",
                companion: "_cache_key",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: renamed::__private::Ttl::Default,
                cache_none: false,
                version: 0,
                debug: false,
                options: renamed::__private::ReadOptions::DEFAULT,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
    )
}
/// Removes the one entry that `publish` reads with these arguments; `true` if there was one.
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
fn publish_invalidate(
    slug: &str,
) -> ::core::result::Result<::core::primitive::bool, renamed::__private::CacheError> {
    renamed::__private::invalidate_entry_sync(
        {
            static SITE: renamed::__private::ReadSite = renamed::__private::ReadSite::new(renamed::__private::ReadInfo {
                function: "publish",
                companion: "_invalidate",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: renamed::__private::Ttl::Default,
                cache_none: false,
                version: 0,
                debug: false,
                options: renamed::__private::ReadOptions::DEFAULT,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
    )
}
/// `publish`, computed and stored anew, whatever the cache holds.
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
fn publish_refresh(slug: &str) -> Result<Post, Error> {
    let write0 = renamed::__private::plan(
        {
            static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(renamed::__private::WriteInfo {
                function: "publish",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["drafts:<<slug>>"],
                shapes: &["drafts:\u{1}"],
                when: renamed::__private::When::Ok,
                debug: false,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("drafts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
            w.end();
        }),
    );
    let shape0 = {
        let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
        {
            #[allow(unused_imports)]
            use renamed::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let write1 = renamed::__private::plan(
        {
            static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(renamed::__private::WriteInfo {
                function: "publish",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["feeds:<<result.author>>"],
                shapes: &["feeds:\u{1}"],
                when: renamed::__private::When::Always,
                debug: false,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        true,
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("feeds:");
            w.result();
            w.end();
        }),
    );
    let shape1 = {
        let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
        {
            #[allow(unused_imports)]
            use renamed::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    let lookup = renamed::__private::begin_refresh::<
        Result<Post, Error>,
        _,
        _,
        _,
    >(
        {
            static SITE: renamed::__private::ReadSite = renamed::__private::ReadSite::new(renamed::__private::ReadInfo {
                function: "publish",
                companion: "_refresh",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "posts:<<slug>>",
                shape: "posts:\u{1}",
                ttl: renamed::__private::Ttl::Default,
                cache_none: false,
                version: 0,
                debug: false,
                options: renamed::__private::ReadOptions::DEFAULT,
            });
            &SITE
        },
        renamed::__private::Handle::Current,
        {
            let probe = renamed::__private::shape::Probe::<Result<Post, Error>>::NEW;
            {
                #[allow(unused_imports)]
                use renamed::__private::shape::probe::*;
                #[allow(unused_imports)]
                use renamed::__private::fit::probe::*;
                let shape = (&&&&probe).__shape();
                probe.with(shape).__fit().checked()
            }
        },
        renamed::__private::SeesByReference::rendered(|
            w: &mut renamed::__private::Writer<'_>|
        {
            w.text("posts:");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use renamed::__private::part::probe::*;
                    (&&&&renamed::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
        }),
        || renamed::__private::none(),
    );
    renamed::__private::write_sync::<
        Result<Post, Error>,
        _,
        _,
        _,
    >(
        write0,
        shape0,
        renamed::__private::no_result,
        move || -> Result<Post, Error> {
            renamed::__private::write_sync::<
                Result<Post, Error>,
                _,
                _,
                _,
            >(
                write1,
                shape1,
                |result, w: &mut renamed::__private::Writer<'_>| {
                    match &(result.author) {
                        value => {
                            #[allow(unused_imports)]
                            use renamed::__private::part::probe::*;
                            (&&&&renamed::__private::part::Probe(value))
                                .__part()
                                .write(w, "result.author", value);
                        }
                    }
                },
                move || -> Result<Post, Error> {
                    renamed::__private::read_sync(
                        lookup,
                        renamed::__private::ttl_unset,
                        renamed::__private::unless_unset,
                        move || -> Result<Post, Error> {
                            #[allow(unused_imports)]
                            use cache_runtime::cacheable as _;
                            #[allow(unused_imports)]
                            use invalidate as _;
                            store(slug)?;
                            load(slug)
                        },
                    )
                },
            )
        },
    )
}
