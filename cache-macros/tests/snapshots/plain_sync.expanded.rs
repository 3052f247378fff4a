fn sum(a: u32, b: Option<u32>) -> u32 {
    #![allow(clippy::let_and_return)]
    let lookup = ::cache_runtime::__private::begin_with(
        ::cache_runtime::__private::site!(
            "sum", "sum:{{a}}:{{b.unwrap_or(1)}}", "sum:\u{1}:\u{1}", .debug()
            .ttl(5400000).cache_none().version(2)
        ),
        ::cache_runtime::__private::Handle::Current,
        match () {
            () if a > 0 => true,
            () => false,
        },
        ::cache_runtime::__private::shape::ShapeProbe::<u32>::NEW.__shape().__fit(),
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(a))
                    .__part(w, "sum:", "a");
                ::cache_runtime::__private::part::PartProbe::of(&(b.unwrap_or(1)))
                    .__part(w, ":", "b.unwrap_or(1)");
            },
        ),
        ::cache_runtime::__private::none,
    );
    ::cache_runtime::__private::read_sync_if(
        lookup,
        ::cache_runtime::__private::ttl_unset,
        |sum| *sum == 0,
        move || -> u32 {
            let sum = a + b.unwrap_or(1);
            sum
        },
    )
}
