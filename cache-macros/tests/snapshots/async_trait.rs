// What `#[async_trait]` leaves of `async fn find(&self, id: String, _: Trace) -> Result<User, Error>`.
#[cacheable(key = "users:<<id>>", skip(self), ttl = self.ttl, cache = self.cache)]
#[allow(clippy::type_complexity)]
fn find<'life0, 'async_trait>(
    &'life0 self,
    id: String,
    __arg2: Trace,
) -> ::core::pin::Pin<
    Box<
        dyn ::core::future::Future<Output = Result<User, Error>> + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<Result<User, Error>> {
            #[allow(unreachable_code)]
            return __ret;
        }
        let __self = self;
        let id = id;
        let __arg2 = __arg2;
        let __ret: Result<User, Error> = { __self.users.find(id).await };
        #[allow(unreachable_code)]
        __ret
    })
}
