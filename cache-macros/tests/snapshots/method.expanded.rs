pub(crate) async fn user(&mut self, id: u64) -> Option<Arc<User>> {
    let lookup = {
        #[allow(unused_imports)]
        use ::cache_runtime::__private::probe::*;
        ::cache_runtime::__private::begin_with::<
            Option<Arc<User>>,
            _,
            _,
        >(
            {
                static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(
                        "user",
                        ::core::module_path!(),
                        "tenants:<<self.tenant>>:users:<<id>>",
                        "tenants:\u{1}:users:\u{1}",
                    )
                    .computed_ttl();
                ::cache_runtime::__private::submit!(
                    ::cache_runtime::__private::Registered::Read(& SITE)
                );
                &SITE
            },
            ::cache_runtime::__private::Handle::Given(&(self.cache)),
            true,
            {
                let probe = ::cache_runtime::__private::shape::Probe::<
                    Option<Arc<User>>,
                >::NEW;
                let shape = (&&&&probe).__shape();
                probe.with(shape).__fit().checked()
            },
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    w.text("tenants:");
                    (&&&&::cache_runtime::__private::part::Probe(&(self.tenant)))
                        .__part(w, "self.tenant");
                    w.text(":users:");
                    (&&&&::cache_runtime::__private::part::Probe(&(id))).__part(w, "id");
                },
            ),
            ::cache_runtime::__private::none,
        )
    };
    let lookup = match lookup.hit() {
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
