#[derive(Clone)]
pub struct Post {
    slug: String,
}
::core::compile_error! {
    "a struct can't be annotated: put the attribute on a function that reads data (`#[cacheable]`) or writes data (`#[invalidate]`)"
}
