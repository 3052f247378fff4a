pub(crate) async fn user(&mut self, id: u64) -> Option<Arc<User>> {
    let lookup = match {
        ::cache_runtime::__private::begin_with(
                ::cache_runtime::__private::site!(
                    "user", "tenants:<<self.tenant>>:users:<<id>>",
                    "tenants:\u{1}:users:\u{1}", .computed_ttl()
                ),
                ::cache_runtime::__private::Handle::Given(&(self.cache)),
                true,
                ::cache_runtime::__private::shape::ShapeProbe::<Option<Arc<User>>>::NEW
                    .__shape()
                    .__fit(),
                ::cache_runtime::__private::SeesByReference::rendered(
                    &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                        ::cache_runtime::__private::part::PartProbe::of(&(self.tenant))
                            .__part(w, "tenants:", "self.tenant");
                        ::cache_runtime::__private::part::PartProbe::of(&(id))
                            .__part(w, ":users:", "id");
                    },
                ),
                ::cache_runtime::__private::none,
            )
            .hit()
    } {
        ::core::result::Result::Ok(value) => return value,
        ::core::result::Result::Err(lookup) => lookup,
    };
    ::cache_runtime::__private::read_async_if(
            lookup,
            |value| {
                let closure = |user: &User| user.lifetime;
                closure(value)
            },
            ::cache_runtime::__private::unless_unset,
            async move {
                if false {
                    #[allow(unreachable_code)]
                    return ::cache_runtime::__private::never::<Option<Arc<User>>>();
                }
                self.load(id).await
            },
        )
        .await
}
