//! Types that derive `CacheKey`, and functions that hash them.
#![deny(warnings)]

use cache_runtime::{CacheKey, cacheable};

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
struct Named<'a, T: ?Sized> {
    key: &'a str,
    r#type: u8,
    #[cache_key(skip)]
    _other: ::std::marker::PhantomData<fn(T)>,
    way: Vec<String>,
}

#[derive(CacheKey)]
struct Generic<T, const N: usize>(T, [u16; N])
where
    T: Clone;

#[derive(CacheKey)]
#[allow(dead_code)]
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
async fn generic<T: CacheKey + Clone + Sync>(of: &Generic<T, 2>) -> u16 {
    let _ = of.0.clone();
    of.1[0]
}

#[cacheable]
fn never(never: &Never, everything: Option<Everything>) {
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
        way: Vec::new(),
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
    let _: fn(&Never, Option<Everything>) = never;
    let _ = Everything {};
    let _ = renamed_key(renamed::Key(1));
}
