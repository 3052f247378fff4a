fn users(_tx: &Transaction<'_>, ids: &[u32]) -> HashMap<u32, User> {
    #[allow(clippy::used_underscore_binding)]
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(_tx),
    ));
    let mut each = ::cache_runtime::__private::begin_each::<
        u32,
        HashMap<u32, User>,
        _,
    >(
        ::cache_runtime::__private::site!("users", "users:<<id>>", "users:\u{1}",),
        ::cache_runtime::__private::Handle::Current,
        !open,
        ::cache_runtime::__private::shape::ShapeProbe::<
            <HashMap<
                u32,
                User,
            > as ::cache_runtime::__private::each::EachOutput<u32>>::Item,
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
    (move || -> HashMap<u32, User> {
        while let ::core::option::Option::Some(missing) = each.next_blocking() {
            let inside = each.enter();
            #[allow(clippy::redundant_closure_call)]
            let output = (::cache_runtime::__private::uncached_sync_if(
                open,
                || -> HashMap<u32, User> {
                    let ids: &[u32] = &missing;
                    load(ids)
                },
            ))();
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
fn users_no_cache(_tx: &Transaction<'_>, ids: &[u32]) -> HashMap<u32, User> {
    #[allow(clippy::used_underscore_binding)]
    let open = ::cache_runtime::__private::LendsTransaction::lent(|| ::cache_runtime::__private::MaybeTransactional::is_open(
        &(_tx),
    ));
    (::cache_runtime::__private::uncached_sync_if(
        open,
        move || -> HashMap<u32, User> { load(ids) },
    ))()
}
