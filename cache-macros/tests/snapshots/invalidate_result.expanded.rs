async fn update(db: &Db, slug: String, publish: bool) -> Result<Post, DbError> {
    let write0 = ::cache_runtime::__private::plan(
        {
            static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(::cache_runtime::__private::WriteInfo {
                function: "update",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                patterns: &[
                    "posts:<<slug>>:*",
                    "posts:<<result.slug>>:<<slug>>",
                    "posts:list:*",
                ],
                shapes: &["posts:\u{1}:*", "posts:\u{1}:\u{1}", "posts:list:*"],
                when: ::cache_runtime::__private::When::Ok,
                debug: false,
            });
            ::cache_runtime::__private::submit!(
                ::cache_runtime::__private::Registered::Write(& SITE)
            );
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        match () {
            () if publish => true,
            () => false,
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
            w.text(":*");
            w.end();
            w.text("posts:");
            w.result();
            w.text(":");
            match &(slug) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "slug", value);
                }
            }
            w.end();
            w.text("posts:list:*");
            w.end();
        }),
    );
    let shape0 = {
        let probe = ::cache_runtime::__private::shape::Probe::<
            Result<Post, DbError>,
        >::NEW;
        {
            #[allow(unused_imports)]
            use ::cache_runtime::__private::shape::probe::*;
            (&&&&probe).__shape()
        }
    };
    ::cache_runtime::__private::write_async::<
        Result<Post, DbError>,
        _,
        _,
        _,
    >(
            write0,
            shape0,
            |result, w: &mut ::cache_runtime::__private::Writer<'_>| {
                match &(result.slug) {
                    value => {
                        #[allow(unused_imports)]
                        use ::cache_runtime::__private::part::probe::*;
                        (&&&&::cache_runtime::__private::part::Probe(value))
                            .__part()
                            .write(w, "result.slug", value);
                    }
                }
            },
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                db.update(slug, publish).await
            },
        )
        .await
}
