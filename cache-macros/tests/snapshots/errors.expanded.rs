/// Kept as written.
pub fn get_post(db: &Db, slug: &str, page: u32) {
    #[allow(unused_imports)]
    use invalidate as _;
    db.post(slug, page)
}
::core::compile_error! {
    "unknown option `kye`; did you mean `key`? `#[cacheable]` takes `namespace`, `key`, `ttl`, `skip`, `context`, `owner`, `each`, `condition`, `unless`, `value`, `response`, `cache_none`, `cache_err`, `err_ttl`, `err`, `version`, `near`, `stale`, `stale_if_error`, `early`, `refresh`, `jitter`, `detached`, `audit`, `tx`, `debug`, `cache`, `companions`, `crate`"
}
::core::compile_error! {
    "`ttl` is given twice: remove one of them"
}
::core::compile_error! {
    "unclosed `<<` before `page`: write `<<page>>`"
}
::core::compile_error! {
    "`{slug}` in single braces is plain text: write `<<slug>>` for the argument's value"
}
::core::compile_error! {
    "unknown name `slgu` in the placeholder `<<slgu>>`; did you mean `slug`? the arguments of `get_post` are `db`, `slug`, `page`"
}
::core::compile_error! {
    "`skip(bd)` names no argument; did you mean `db`? the arguments of `get_post` are `db`, `slug`, `page`"
}
::core::compile_error! {
    "a `ttl` of zero stores nothing: give a positive time, or remove the attribute; to skip the cache for some calls only, use `condition` or `unless`"
}
::core::compile_error! {
    "unknown value `after` of `when`: write \"ok\" (after the body, for a `Result` only on `Ok`; the default), \"always\" (after the body) or \"before\" (before the body)"
}
::core::compile_error! {
    "an empty pattern matches nothing: write a path, such as `\"posts:<<slug>>:*\"`"
}
::core::compile_error! {
    "`<<result>>` uses the returned value, but this function returns nothing: use arguments only, or return the written value"
}
/// Run `get_post` without the cache: no entry is read or stored.
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
pub fn get_post_no_cache(db: &Db, slug: &str, page: u32) {
    #[allow(unused_imports)]
    use invalidate as _;
    db.post(slug, page)
}
/// Return the full key of the entry that `get_post` reads with these arguments.
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
pub fn get_post_cache_key(db: &Db, slug: &str, page: u32) -> ::std::string::String {
    ::core::unreachable!()
}
/// Return the key, without the prefix, of the entry that `get_post` reads with these arguments.
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
pub fn get_post_cache_path(db: &Db, slug: &str, page: u32) -> ::std::string::String {
    ::core::unreachable!()
}
/// Remove the entry that `get_post` reads with these arguments; return `true` if it existed.
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
pub fn get_post_invalidate(
    db: &Db,
    slug: &str,
    page: u32,
) -> ::core::result::Result<
    ::core::primitive::bool,
    ::cache_runtime::__private::CacheError,
> {
    ::core::unreachable!()
}
/// Run `get_post` and store its value, even if one is cached.
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
pub fn get_post_refresh(db: &Db, slug: &str, page: u32) {
    #[allow(unused_imports)]
    use invalidate as _;
    db.post(slug, page)
}
