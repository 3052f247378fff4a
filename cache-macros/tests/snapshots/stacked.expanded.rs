#[tracing::instrument]
fn publish(slug: &str) -> Result<Post, Error> {
    const _: () = ::core::assert!(
        ! renamed::__private::reaches("drafts:\u{1}", "posts:\u{1}"),
        "the pattern `drafts:<<slug>>` matches this function's own key `posts:<<slug>>`, so every call would remove the entry it has just stored: remove the pattern, or narrow it; invalidate this key in the functions that write the data"
    );
    const _: () = ::core::assert!(
        ! renamed::__private::reaches("feeds:\u{1}", "posts:\u{1}"),
        "the pattern `feeds:<<result.author>>` matches this function's own key `posts:<<slug>>`, so every call would remove the entry it has just stored: remove the pattern, or narrow it; invalidate this key in the functions that write the data"
    );
    let (write0, shape0) = (
        renamed::__private::plan(
            {
                static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(
                    "publish",
                    ::core::module_path!(),
                    &["drafts:<<slug>>"],
                    &["drafts:\u{1}"],
                );
                renamed::__private::submit!(
                    renamed::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            renamed::__private::Handle::Current,
            true,
            renamed::__private::SeesByReference::rendered(
                &|w: &mut renamed::__private::Writer<'_>| {
                    renamed::__private::part::PartProbe::of(&(slug))
                        .__part(w, "drafts:", "slug");
                    w.end();
                },
            ),
        ),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__judged(),
    );
    let (write1, shape1) = (
        renamed::__private::plan(
            {
                static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(
                        "publish",
                        ::core::module_path!(),
                        &["feeds:<<result.author>>"],
                        &["feeds:\u{1}"],
                    )
                    .always();
                renamed::__private::submit!(
                    renamed::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            renamed::__private::Handle::Current,
            true,
            renamed::__private::SeesByReference::rendered(
                &|w: &mut renamed::__private::Writer<'_>| {
                    w.text("feeds:");
                    w.result();
                    w.end();
                },
            ),
        ),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW.__shape(),
    );
    let lookup = renamed::__private::begin(
        renamed::__private::site!("publish", "posts:<<slug>>", "posts:\u{1}",),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__fit(),
        renamed::__private::SeesByReference::rendered(
            &|w: &mut renamed::__private::Writer<'_>| {
                renamed::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
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
                    renamed::__private::part::PartProbe::of(&(result.author))
                        .__part(w, "", "result.author");
                },
                move || -> Result<Post, Error> {
                    renamed::__private::read_sync(
                        lookup,
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
/// Run `publish` without the cache: no entry is read or stored.
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
fn publish_no_cache(slug: &str) -> Result<Post, Error> {
    let (write0, shape0) = (
        renamed::__private::plan(
            {
                static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(
                    "publish",
                    ::core::module_path!(),
                    &["drafts:<<slug>>"],
                    &["drafts:\u{1}"],
                );
                &SITE
            },
            renamed::__private::Handle::Current,
            true,
            renamed::__private::SeesByReference::rendered(
                &|w: &mut renamed::__private::Writer<'_>| {
                    renamed::__private::part::PartProbe::of(&(slug))
                        .__part(w, "drafts:", "slug");
                    w.end();
                },
            ),
        ),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__judged(),
    );
    let (write1, shape1) = (
        renamed::__private::plan(
            {
                static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(
                        "publish",
                        ::core::module_path!(),
                        &["feeds:<<result.author>>"],
                        &["feeds:\u{1}"],
                    )
                    .always();
                &SITE
            },
            renamed::__private::Handle::Current,
            true,
            renamed::__private::SeesByReference::rendered(
                &|w: &mut renamed::__private::Writer<'_>| {
                    w.text("feeds:");
                    w.result();
                    w.end();
                },
            ),
        ),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW.__shape(),
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
                    renamed::__private::part::PartProbe::of(&(result.author))
                        .__part(w, "", "result.author");
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
/// Return the full key of the entry that `publish` reads with these arguments.
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
fn publish_cache_key(slug: &str) -> ::std::string::String {
    renamed::__private::cache_key(
        renamed::__private::call_site!("publish", "posts:<<slug>>", "posts:\u{1}",),
        renamed::__private::Handle::Current,
        renamed::__private::SeesByReference::rendered(
            &|w: &mut renamed::__private::Writer<'_>| {
                renamed::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Return the key, without the prefix, of the entry that `publish` reads with these arguments.
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
fn publish_cache_path(slug: &str) -> ::std::string::String {
    renamed::__private::cache_path(
        renamed::__private::call_site!("publish", "posts:<<slug>>", "posts:\u{1}",),
        renamed::__private::Handle::Current,
        renamed::__private::SeesByReference::rendered(
            &|w: &mut renamed::__private::Writer<'_>| {
                renamed::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Remove the entry that `publish` reads with these arguments; return `true` if it existed.
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
fn publish_invalidate(
    slug: &str,
) -> ::core::result::Result<::core::primitive::bool, renamed::__private::CacheError> {
    renamed::__private::invalidate_entry_sync(
        renamed::__private::call_site!("publish", "posts:<<slug>>", "posts:\u{1}",),
        renamed::__private::Handle::Current,
        renamed::__private::SeesByReference::rendered(
            &|w: &mut renamed::__private::Writer<'_>| {
                renamed::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
    )
}
/// Run `publish` and store its value, even if one is cached.
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
fn publish_refresh(slug: &str) -> Result<Post, Error> {
    let (write0, shape0) = (
        renamed::__private::plan(
            {
                static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(
                    "publish",
                    ::core::module_path!(),
                    &["drafts:<<slug>>"],
                    &["drafts:\u{1}"],
                );
                &SITE
            },
            renamed::__private::Handle::Current,
            true,
            renamed::__private::SeesByReference::rendered(
                &|w: &mut renamed::__private::Writer<'_>| {
                    renamed::__private::part::PartProbe::of(&(slug))
                        .__part(w, "drafts:", "slug");
                    w.end();
                },
            ),
        ),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__judged(),
    );
    let (write1, shape1) = (
        renamed::__private::plan(
            {
                static SITE: renamed::__private::WriteSite = renamed::__private::WriteSite::new(
                        "publish",
                        ::core::module_path!(),
                        &["feeds:<<result.author>>"],
                        &["feeds:\u{1}"],
                    )
                    .always();
                &SITE
            },
            renamed::__private::Handle::Current,
            true,
            renamed::__private::SeesByReference::rendered(
                &|w: &mut renamed::__private::Writer<'_>| {
                    w.text("feeds:");
                    w.result();
                    w.end();
                },
            ),
        ),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW.__shape(),
    );
    let lookup = renamed::__private::begin_refresh(
        renamed::__private::call_site!("publish", "posts:<<slug>>", "posts:\u{1}",),
        renamed::__private::shape::ShapeProbe::<Result<Post, Error>>::NEW
            .__shape()
            .__fit(),
        renamed::__private::SeesByReference::rendered(
            &|w: &mut renamed::__private::Writer<'_>| {
                renamed::__private::part::PartProbe::of(&(slug))
                    .__part(w, "posts:", "slug");
            },
        ),
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
                    renamed::__private::part::PartProbe::of(&(result.author))
                        .__part(w, "", "result.author");
                },
                move || -> Result<Post, Error> {
                    renamed::__private::read_sync(
                        lookup,
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
