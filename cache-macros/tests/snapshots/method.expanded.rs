pub(crate) async fn user(&mut self, id: u64) -> Option<Arc<User>> {
    let lookup = ::cache_runtime::__private::begin::<
        Option<Arc<User>>,
        _,
        _,
        _,
    >(
        {
            static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(::cache_runtime::__private::ReadInfo {
                function: "user",
                companion: "",
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                template: "tenants:<<self.tenant>>:users:<<id>>",
                shape: "tenants:\u{1}:users:\u{1}",
                ttl: ::cache_runtime::__private::Ttl::Computed,
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
        ::cache_runtime::__private::Handle::Given(&(self.cache)),
        true,
        {
            let probe = ::cache_runtime::__private::shape::Probe::<
                Option<Arc<User>>,
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
            w.text("tenants:");
            match &(self.tenant) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "self.tenant", value);
                }
            }
            w.text(":users:");
            match &(id) {
                value => {
                    #[allow(unused_imports)]
                    use ::cache_runtime::__private::part::probe::*;
                    (&&&&::cache_runtime::__private::part::Probe(value))
                        .__part()
                        .write(w, "id", value);
                }
            }
        }),
        || ::cache_runtime::__private::none(),
    );
    ::cache_runtime::__private::read_async(
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
