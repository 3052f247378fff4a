fn wipe() {
    let write0 = my::cache::__private::plan(
        {
            static SITE: my::cache::__private::WriteSite = my::cache::__private::WriteSite::new(my::cache::__private::WriteInfo {
                function: "wipe",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &["posts:*"],
                shapes: &["posts:*"],
                when: my::cache::__private::When::Before,
                debug: true,
            });
            my::cache::__private::submit!(
                my::cache::__private::Registered::Write(& SITE)
            );
            &SITE
        },
        my::cache::__private::Handle::Current,
        true,
        my::cache::__private::SeesByReference::rendered(|
            w: &mut my::cache::__private::Writer<'_>|
        {
            w.text("posts:*");
            w.end();
        }),
    );
    let shape0 = {
        let probe = my::cache::__private::shape::Probe::<()>::NEW;
        {
            #[allow(unused_imports)]
            use my::cache::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
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
