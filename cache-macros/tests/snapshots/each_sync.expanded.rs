fn users(ids: Vec<Id>) -> Vec<User> {
    let mut each = ::cache_runtime::__private::begin_each::<
        Id,
        Vec<User>,
        _,
    >(
        ::cache_runtime::__private::site!("users", "users:<<id>>", "users:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        true,
        ::cache_runtime::__private::shape::ShapeProbe::<
            <Vec<User> as ::cache_runtime::__private::each::EachOutput<Id>>::Item,
        >::NEW
            .__shape()
            .__fit(),
        &ids[..],
        &|id, render| render(
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(id))
                        .__part(w, "users:", "id");
                },
            ),
        ),
        &::cache_runtime::__private::none,
        true,
    );
    (move || -> Vec<User> {
        while let ::core::option::Option::Some(missing) = each.next_blocking() {
            let inside = each.enter();
            #[allow(clippy::redundant_closure_call)]
            let output = (|| -> Vec<User> {
                let ids: Vec<Id> = missing;
                load(ids)
            })();
            ::core::mem::drop(inside);
            if let ::core::result::Result::Err(output) = each.computed_blocking(output) {
                return output;
            }
        }
        each.finish()
    })()
}
/// Run `users` without the cache: no entry is read or stored.
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
fn users_no_cache(ids: Vec<Id>) -> Vec<User> {
    (move || -> Vec<User> { load(ids) })()
}
