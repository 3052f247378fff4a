fn find<'life0, 'async_trait>(
    &'life0 self,
    __arg1: Path<String>,
) -> ::core::pin::Pin<
    Box<dyn ::core::future::Future<Output = User> + ::core::marker::Send + 'async_trait>,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        let __self = self;
        let Path(id) = {
            let __arg1 = __arg1;
            __arg1
        };
        let __ret: User = { __self.users.find(id).await };
        #[allow(unreachable_code)] __ret
    })
}
::core::compile_error! {
    "`async_trait` renames destructured arguments, so the key can't use the names that this pattern binds: write `name: Type`, and destructure it in the body: `let Path(id) = name;`"
}
