/// Reads a post.
#[must_use]
pub async fn get_post(db: &Db, slug: &str) -> Result<Post, DbError> {
    let lookup = ::cache_runtime::__private::begin::<
        Result<Post, DbError>,
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
                ttl: ::cache_runtime::__private::Ttl::Fixed(
                    ::core::time::Duration::from_millis(600000),
                ),
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
            let probe = ::cache_runtime::__private::shape::Probe::<
                Result<Post, DbError>,
            >::NEW;
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
        }),
        || ::cache_runtime::__private::none(),
    );
    ::cache_runtime::__private::read_async(
            lookup,
            ::cache_runtime::__private::ttl_unset,
            ::cache_runtime::__private::unless_unset,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Result<Post, DbError>>();
                }
                let row = db.row(slug).await?;
                Ok(row.into())
            },
        )
        .await
}
