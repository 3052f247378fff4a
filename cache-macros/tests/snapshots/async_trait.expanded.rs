#[allow(clippy::type_complexity)]
fn find<'life0, 'async_trait>(
    &'life0 self,
    id: String,
    __arg2: Trace,
) -> ::core::pin::Pin<
    Box<
        dyn ::core::future::Future<
            Output = Result<User, Error>,
        > + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        let lookup = match {
            ::cache_runtime::__private::begin_with(
                    ::cache_runtime::__private::site!(
                        "find", "users:<<id>>", "users:\u{1}", .computed_ttl()
                    ),
                    ::cache_runtime::__private::Handle::Given(&(self.cache)),
                    true,
                    ::cache_runtime::__private::shape::ShapeProbe::<
                        Result<User, Error>,
                    >::NEW
                        .__shape()
                        .__fit(),
                    ::cache_runtime::__private::SeesByReference::rendered(
                        &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                            ::cache_runtime::__private::part::PartProbe::of(&(id))
                                .__part(w, "users:", "id");
                        },
                    ),
                    |_| ::cache_runtime::__private::ttl(self.ttl),
                )
                .hit()
        } {
            ::core::result::Result::Ok(value) => return value,
            ::core::result::Result::Err(lookup) => lookup,
        };
        ::cache_runtime::__private::read_async(
                lookup,
                async move {
                    if false {
                        #[allow(unreachable_code)]
                        return ::cache_runtime::__private::never::<
                            Result<User, Error>,
                        >();
                    }
                    if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<
                        Result<User, Error>,
                    > {
                        #[allow(unreachable_code)] return __ret;
                    }
                    let __self = self;
                    let id = id;
                    let __arg2 = __arg2;
                    let __ret: Result<User, Error> = { __self.users.find(id).await };
                    #[allow(unreachable_code)] __ret
                },
            )
            .await
    })
}
