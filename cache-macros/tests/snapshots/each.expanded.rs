async fn users(db: &Db, ids: &[Id]) -> Result<HashMap<Id, User>, DbError> {
    let mut each = ::cache_runtime::__private::begin_each::<
        Id,
        Result<HashMap<Id, User>, DbError>,
        _,
    >(
        ::cache_runtime::__private::site!(
            "users", "users:<<id>>", "users:\u{1}", .ttl(600000)
        ),
        ::cache_runtime::__private::Handle::Current,
        true,
        ::cache_runtime::__private::shape::ShapeProbe::<
            <Result<
                HashMap<Id, User>,
                DbError,
            > as ::cache_runtime::__private::each::EachOutput<Id>>::Item,
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
        false,
    );
    async {
        while let ::core::option::Option::Some(missing) = each.next().await {
            let output = each
                .within(async {
                    if false {
                        #[allow(unreachable_code)]
                        return ::cache_runtime::__private::never::<
                            Result<HashMap<Id, User>, DbError>,
                        >();
                    }
                    let ids: &[Id] = &missing;
                    db.users(ids).await
                })
                .await;
            let filling = match each.computed(output) {
                ::core::result::Result::Ok(filling) => filling,
                ::core::result::Result::Err(output) => return output,
            };
            if let ::core::option::Option::Some(filling) = filling {
                filling.await;
            }
        }
        each.finish()
    }
        .await
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
async fn users_no_cache(db: &Db, ids: &[Id]) -> Result<HashMap<Id, User>, DbError> {
    async move {
        if false {
            #[allow(unreachable_code)]
            return ::cache_runtime::__private::never::<
                Result<HashMap<Id, User>, DbError>,
            >();
        }
        db.users(ids).await
    }
        .await
}
