//! Instances of generic functions: wherever a type parameter comes from, each type has its own
//! entries.
#![allow(dead_code, reason = "of most functions only the keys are asked for")]

use std::fmt::Debug;

use async_trait::async_trait;
use cache_runtime::cacheable;
use tests::on_both_stores;

use crate::common::{memory, variant};

/// A value by which the types of these tests differ.
trait Named {
    const NAME: &'static str;
}

struct A;
struct B;

impl Named for A {
    const NAME: &'static str = "A";
}

impl Named for B {
    const NAME: &'static str = "B";
}

trait Stat {
    fn stat(id: u32) -> String;
    fn keyless(id: u32) -> String;
}

impl<T: Named> Stat for T {
    #[cacheable(key = "instances:stat:<<id>>", companions = false)]
    fn stat(id: u32) -> String {
        format!("{}{id}", T::NAME)
    }

    #[cacheable(companions = false)]
    fn keyless(id: u32) -> String {
        format!("{}{id}", T::NAME)
    }
}

trait StatAsync {
    async fn stat_async(id: u32) -> String;
}

impl<T: Named> StatAsync for T {
    #[cacheable(key = "instances:stat-async:<<id>>", companions = false)]
    async fn stat_async(id: u32) -> String {
        format!("{}{id}", T::NAME)
    }
}

#[async_trait]
trait StatBoxed {
    async fn stat_boxed(&self, id: u32) -> String;
    #[cacheable(key = "instances:boxed-default:<<id>>", skip(self))]
    async fn boxed_default(&self, id: u32) -> String
    where
        Self: Named + Sync,
    {
        format!("{}{id}", Self::NAME)
    }
}

#[async_trait]
impl<T: Named + Sync> StatBoxed for T {
    #[cacheable(key = "instances:stat-boxed:<<id>>", skip(self))]
    async fn stat_boxed(&self, id: u32) -> String {
        format!("{}{id}", T::NAME)
    }
}

#[tokio::test]
async fn each_type_of_a_blanket_impl_has_its_own_entries() {
    on_both_stores(|_| async {
        for _ in 0..2 {
            assert_eq!((A::stat(1), B::stat(1)), ("A1".into(), "B1".into()));
            assert_eq!((A::keyless(1), B::keyless(1)), ("A1".into(), "B1".into()));
            assert_eq!(A::stat_async(1).await, "A1");
            assert_eq!(B::stat_async(1).await, "B1");
            assert_eq!(A.stat_boxed(1).await, "A1");
            assert_eq!(B.stat_boxed(1).await, "B1");
            assert_eq!(A.boxed_default(1).await, "A1");
            assert_eq!(B.boxed_default(1).await, "B1");
        }
    })
    .await;
}

trait Defaults {
    fn name(&self) -> String;

    #[cacheable(key = "instances:default:<<id>>", skip(self))]
    fn by_default(&self, id: u32) -> String {
        format!("{}{id}", self.name())
    }

    #[cacheable(key = "instances:default-async:<<id>>", skip(self))]
    async fn by_default_async(&self, id: u32) -> String
    where
        Self: Sized,
    {
        format!("{}{id}", self.name())
    }

    #[cacheable(companions = false)]
    fn keyless_default(id: u32) -> String
    where
        Self: Named + Sized,
    {
        format!("{}{id}", Self::NAME)
    }
}

impl Defaults for A {
    fn name(&self) -> String {
        "A".to_owned()
    }
}

impl Defaults for B {
    fn name(&self) -> String {
        "B".to_owned()
    }
}

#[tokio::test]
async fn each_type_with_a_default_method_has_its_own_entries() {
    on_both_stores(|_| async {
        let (a, b): (&dyn Defaults, &dyn Defaults) = (&A, &B);
        for _ in 0..2 {
            assert_eq!(
                (A.by_default(1), B.by_default(1)),
                ("A1".into(), "B1".into())
            );
            assert_eq!(
                (a.by_default(2), b.by_default(2)),
                ("A2".into(), "B2".into())
            );
            assert_eq!(A.by_default_async(1).await, "A1");
            assert_eq!(B.by_default_async(1).await, "B1");
            assert_eq!(A::keyless_default(1), "A1");
            assert_eq!(B::keyless_default(1), "B1");
        }
    })
    .await;
}

trait Of<T> {
    fn of(id: u32) -> String;
    fn of_array<const N: usize>(id: u32) -> String;
}

impl<T: Named> Of<T> for u8 {
    #[cacheable(key = "instances:of:<<id>>", companions = false)]
    fn of(id: u32) -> String {
        format!("{}{id}", T::NAME)
    }

    #[cacheable(key = "instances:of-array:<<id>>", companions = false)]
    fn of_array<const N: usize>(id: u32) -> String {
        format!("{}{N}{id}", T::NAME)
    }
}

trait Has {
    type Item: Named;
}

impl Has for u8 {
    type Item = A;
}

impl Has for u16 {
    type Item = B;
}

#[cacheable(key = "instances:item:<<id>>")]
fn item<T: Has>(id: u32) -> String {
    format!("{}{id}", <T::Item as Named>::NAME)
}

/// An array whose length is an associated constant: `N` is never written at a call.
trait Sized3 {
    const N: usize;

    #[cacheable(key = "instances:size:<<id>>", companions = false)]
    fn size(id: u32) -> usize {
        Self::N + id as usize
    }
}

struct Array<const N: usize>;

impl<const N: usize> Sized3 for Array<N> {
    const N: usize = N;
}

struct Wrap<T>(T);

trait Depth {
    fn depth(id: u32) -> String;
}

impl<T: Named> Depth for Wrap<Option<T>> {
    #[cacheable(key = "instances:depth:<<id>>", companions = false)]
    fn depth(id: u32) -> String {
        format!("{}{id}", T::NAME)
    }
}

trait Called {
    fn called() -> String;
}

impl Named for fn(&'static u8) {
    const NAME: &'static str = "of static";
}

impl Named for &'static [u8] {
    const NAME: &'static str = "slice";
}

impl Named for dyn Debug {
    const NAME: &'static str = "dyn";
}

impl<T: Named + ?Sized> Called for Wrap<Box<T>> {
    #[cacheable(key = "instances:called", companions = false)]
    fn called() -> String {
        T::NAME.to_owned()
    }
}

#[cacheable(key = "instances:higher:<<id>>", skip(_f))]
fn higher<F: for<'a> Fn(&'a u32) -> &'a u32>(_f: F, id: u32) -> String {
    format!("{}{id}", std::any::type_name::<F>())
}

fn same(id: &u32) -> &u32 {
    id
}

fn other(id: &u32) -> &u32 {
    id
}

#[test]
fn every_type_parameter_in_scope_is_part_of_the_key() {
    memory().scope_sync(|| {
        for _ in 0..2 {
            assert_eq!(<u8 as Of<A>>::of(1), "A1");
            assert_eq!(<u8 as Of<B>>::of(1), "B1");
            assert_eq!(<u8 as Of<A>>::of_array::<1>(1), "A11");
            assert_eq!(<u8 as Of<A>>::of_array::<2>(1), "A21");
            assert_eq!(<u8 as Of<B>>::of_array::<2>(1), "B21");
            assert_eq!((item::<u8>(1), item::<u16>(1)), ("A1".into(), "B1".into()));
            assert_eq!((Array::<2>::size(1), Array::<3>::size(1)), (3, 4));
            assert_eq!(Wrap::<Option<A>>::depth(1), "A1");
            assert_eq!(Wrap::<Option<B>>::depth(1), "B1");
            assert_eq!(Wrap::<Box<fn(&'static u8)>>::called(), "of static");
            assert_eq!(Wrap::<Box<&'static [u8]>>::called(), "slice");
            assert_eq!(Wrap::<Box<dyn Debug>>::called(), "dyn");
            assert!(higher(same, 1).contains("same"));
            assert!(higher(other, 1).contains("other"));
        }
    });
}

struct Repo<T>(T);

impl<T: Named> Repo<T> {
    #[cacheable(key = "instances:repo:<<id>>", companions)]
    fn find(id: u32) -> String {
        format!("{}{id}", T::NAME)
    }
}

/// A trait whose blanket impl has its companions in an `impl` with the same parameters.
trait Lookup: Named + Sized {
    #[cacheable(key = "instances:lookup:<<id>>", companions)]
    fn lookup(id: u32) -> String {
        format!("{}{id}", Self::NAME)
    }
}

impl<T: Named> Lookup for T {}

#[test]
fn companions_find_the_entry_of_their_own_type() {
    memory().scope_sync(|| {
        assert_ne!(Repo::<A>::find_cache_key(1), Repo::<B>::find_cache_key(1));
        assert_ne!(A::lookup_cache_key(1), B::lookup_cache_key(1));
        for _ in 0..2 {
            assert_eq!((A::lookup(1), B::lookup(1)), ("A1".into(), "B1".into()));
        }
        assert!(A::lookup_invalidate(1).unwrap(), "the entry exists");
        assert!(!A::lookup_invalidate(1).unwrap(), "the entry is removed");
        assert!(
            B::lookup_invalidate(1).unwrap(),
            "the entry of B still exists"
        );
        assert_eq!(A::lookup_refresh(1), "A1");
        assert_eq!(A::lookup_no_cache(1), "A1");
        assert!(A::lookup_invalidate(1).unwrap());
    });
}

struct Plain<'a>(&'a str);

trait Load {
    fn load(&self, id: u32) -> String;
}

impl<'a> Load for Plain<'a> {
    #[cacheable(key = "instances:plain:<<self.0>>:<<id>>")]
    fn load(&self, id: u32) -> String {
        format!("{}{id}", self.0)
    }
}

impl Plain<'_> {
    #[cacheable(key = "instances:key:<<id>>", companions)]
    fn key(id: u32) -> u32 {
        id
    }
}

#[tokio::test]
async fn a_function_without_type_parameters_keeps_its_documented_key() {
    on_both_stores(|cache| async move {
        assert_eq!(Plain("p").load(1), "p1");
        assert!(cache.exists("instances:plain:p:1").await.unwrap());
        assert_eq!(Plain::key_cache_key(1), "quickpost:instances:key:1");
    })
    .await;
}

/// Two local types with one name, and two functions with one name.
fn in_the_first_block(id: u32) -> [String; 3] {
    struct Local;
    impl Local {
        #[cacheable(companions = false)]
        fn get(id: u32) -> String {
            format!("first type {id}")
        }
    }
    trait Kind {
        fn kind(id: u32) -> String;
    }
    impl Kind for Local {
        #[cacheable(companions = false)]
        fn kind(id: u32) -> String {
            format!("first kind {id}")
        }
    }
    #[cacheable]
    fn get(id: u32) -> String {
        format!("first function {id}")
    }
    [Local::get(id), Local::kind(id), get(id)]
}

fn siblings(id: u32) -> Vec<String> {
    let mut found = Vec::new();
    {
        #[cacheable]
        fn get(id: u32) -> String {
            format!("one {id}")
        }
        struct Local;
        impl Local {
            #[cacheable(companions)]
            fn get(id: u32) -> String {
                format!("one of a type {id}")
            }
        }
        found.extend([get(id), Local::get(id)]);
        assert_eq!(variant(&get_cache_key(id)).map(str::len), Some(26));
        assert!(
            Local::get_invalidate(id).unwrap(),
            "companions use the same entry"
        );
        assert_eq!(Local::get_refresh(id), Local::get(id));
    }
    {
        #[cacheable]
        fn get(id: u32) -> String {
            format!("two {id}")
        }
        struct Local;
        impl Local {
            #[cacheable(companions)]
            fn get(id: u32) -> String {
                format!("two of a type {id}")
            }
        }
        found.extend([get(id), Local::get(id)]);
    }
    found
}

/// All items have the same source position: that of the macro's call.
macro_rules! twins {
    () => {{
        let first = {
            #[cacheable]
            fn twin() -> u32 {
                1
            }
            twin()
        };
        let second = {
            #[cacheable]
            fn twin() -> u32 {
                2
            }
            twin()
        };
        [first, second]
    }};
}

trait Number {
    fn number() -> u32;
}

const _: () = {
    #[cacheable(companions = false)]
    fn unnamed() -> u32 {
        1
    }
    impl Number for A {
        fn number() -> u32 {
            unnamed()
        }
    }
};

const _: () = {
    #[cacheable(companions = false)]
    fn unnamed() -> u32 {
        2
    }
    impl Number for B {
        fn number() -> u32 {
            unnamed()
        }
    }
};

#[tokio::test]
async fn functions_with_one_name_in_sibling_blocks_have_separate_entries() {
    on_both_stores(|_| async {
        for _ in 0..2 {
            assert_eq!(
                in_the_first_block(1),
                ["first type 1", "first kind 1", "first function 1"]
            );
            assert_eq!(
                siblings(1),
                ["one 1", "one of a type 1", "two 1", "two of a type 1"]
            );
            assert_eq!(twins!(), [1, 2]);
            assert_eq!([A::number(), B::number()], [1, 2]);
        }
    })
    .await;
}
