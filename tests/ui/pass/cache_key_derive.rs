//! Types that derive `CacheKey`, and functions that hash them.
#![deny(warnings)]
#![no_implicit_prelude]

use ::cache_runtime::{CacheKey, cacheable};
use ::std::clone::Clone as _;
use ::std::string::String;

// Names that generated code must not pick up.
#[allow(dead_code)]
mod shadows {
    pub struct Way;
    pub trait Hashed {}
    pub fn key() {}
}
#[allow(unused_imports)]
use shadows::*;

#[derive(CacheKey)]
struct Named<'a, T: ?::core::marker::Sized> {
    key: &'a str,
    r#type: u8,
    #[cache_key(skip)]
    _other: ::std::marker::PhantomData<fn(T)>,
    way: ::std::vec::Vec<String>,
}

#[derive(CacheKey)]
struct Generic<T, const N: usize>(T, [u16; N])
where
    T: ::core::clone::Clone;

#[derive(CacheKey)]
enum Kind<T = u8> {
    Unit,
    Field0(T),
    Many(u8, #[cache_key(skip)] fn()),
    Named { self_: T, key: bool },
    Empty {},
}

#[derive(CacheKey)]
enum Never {}

#[derive(CacheKey)]
struct Unit;

#[derive(CacheKey)]
struct Nothing(#[cache_key(skip)] u8);

#[derive(CacheKey)]
struct Everything {}

#[cacheable(key = "a")]
fn named(named: &Named<'_, str>, kinds: &[Kind], (unit, nothing): (Unit, &Nothing)) -> u8 {
    let _ = (kinds, unit, nothing.0);
    named.r#type
}

#[cacheable]
async fn generic<T: CacheKey + ::core::clone::Clone + ::core::marker::Sync>(of: &Generic<T, 2>) -> u16 {
    let _ = of.0.clone();
    of.1[0]
}

#[cacheable]
fn never(never: &Never, everything: ::std::option::Option<Everything>) {
    let _ = everything;
    match *never {}
}

mod renamed {
    use ::cache_runtime as my_cache;

    #[derive(my_cache::CacheKey)]
    #[cache_key(crate = my_cache)]
    pub(crate) struct Key(pub(crate) u8);
}

#[cacheable]
fn renamed_key(key: renamed::Key) -> u8 {
    key.0
}

fn main() {
    let page = Named {
        key: "k",
        r#type: 1,
        _other: ::std::marker::PhantomData,
        way: ::std::vec::Vec::new(),
    };
    let kinds = [
        Kind::Unit,
        Kind::Field0(1),
        Kind::Many(1, main),
        Kind::Named { self_: 1, key: true },
        Kind::Empty {},
    ];
    let _ = named(&page, &kinds, (Unit, &Nothing(1)));
    let _ = generic(&Generic(1u8, [1, 2]));
    let _: fn(&Never, ::std::option::Option<Everything>) = never;
    let _ = Everything {};
    let _ = renamed_key(renamed::Key(1));
}
