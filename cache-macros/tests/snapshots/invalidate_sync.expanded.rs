fn wipe() {
    let (write0, shape0) = (
        my::cache::__private::plan(
            {
                static SITE: my::cache::__private::WriteSite = my::cache::__private::WriteSite::new(
                        "wipe",
                        ::core::module_path!(),
                        &["posts:*"],
                        &["posts:*"],
                    )
                    .before()
                    .debug();
                my::cache::__private::submit!(
                    my::cache::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            my::cache::__private::Handle::Current,
            true,
            my::cache::__private::SeesByReference::rendered(
                &|w: &mut my::cache::__private::Writer<'_>| {
                    w.text("posts:*");
                    w.end();
                },
            ),
        ),
        my::cache::__private::shape::ShapeProbe::<()>::NEW.__shape(),
    );
    my::cache::__private::write_sync::<
        (),
        _,
        _,
        _,
    >(
        write0,
        shape0,
        my::cache::__private::no_result,
        move || -> () { std::process::abort() },
    )
}
