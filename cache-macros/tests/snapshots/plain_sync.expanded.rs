fn sum(a: u32, b: Option<u32>) -> u32 {
    #![allow(clippy::let_and_return)]
    let lookup = ::cache_runtime::__private::begin::<
        u32,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "sum",
                companion: "",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "sum:{{a}}:{{b.unwrap_or(1)}}",
                shape: "sum:\u{1}:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Fixed(
                    ::core::time::Duration::from_millis(5400000),
                ),
                cache_none: true,
                version: 2,
                debug: true,
                options: ::cache_runtime::__private::ReadOptions::DEFAULT,
            });
            ::cache_runtime::__private::submit!(
                ::cache_runtime::__private::Registered::Read(& SITE)
            );
            &SITE
        },
        ::cache_runtime::__private::Handle::Current,
        match () {
            () if a > 0 => true,
            () => false,
        },
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
            w.text("sum:");
            match &(a) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "a", value);
                }
            }
            w.text(":");
            match &(b.unwrap_or(1)) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "b.unwrap_or(1)", value);
                }
            }
        }),
        || ::cache_runtime::__private::none(),
    );
    ::cache_runtime::__private::read_sync(
        lookup,
        ::cache_runtime::__private::ttl_unset,
        |sum| *sum == 0,
        move || -> u32 {
            let sum = a + b.unwrap_or(1);
            sum
        },
    )
}
