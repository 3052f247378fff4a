//! A type that changes between two releases: entries of the earlier one are never misread by the
//! later one. In these tests, both releases are functions with one key.

use cache_runtime::cacheable;
use serde::{Deserialize, Deserializer, Serialize, de};
use tests::on_both_stores;

use crate::common::Runs;

/// Test two releases of a type `Stored` with one key. The second must not read the first's entry,
/// whose bytes are often valid for it too: a `u32` and an `i32` are both one byte in the positional
/// codec.
macro_rules! releases {
    ($($change:ident: { $($first:item)* } { $value:expr } => { $($second:item)* } { $other:expr };)*) => {$(
        #[tokio::test]
        async fn $change() {
            mod first {
                #[allow(unused_imports)]
                use super::{Date, Deserialize, Either, Page, Serialize, twin};
                $($first)*
            }
            mod second {
                #[allow(unused_imports)]
                use super::{Date, Deserialize, Either, Page, Serialize, twin};
                $($second)*
            }

            #[cacheable(key = "changed", skip(runs))]
            async fn earlier(runs: &Runs) -> first::Stored {
                #[allow(unused_imports)]
                use first::*;
                runs.next();
                $value
            }

            #[cacheable(key = "changed", skip(runs))]
            async fn later(runs: &Runs) -> second::Stored {
                #[allow(unused_imports)]
                use second::*;
                runs.next();
                $other
            }

            on_both_stores(|cache| async move {
                let runs = Runs::default();
                let _ = earlier(&runs).await;
                let right = format!("{:?}", later_no_cache(&runs).await);
                for _ in 0..2 {
                    assert_eq!(format!("{:?}", later(&runs).await), right);
                }
                assert!(runs.count() <= 3);
                assert_eq!(cache.stats().errors, 0);
            })
            .await;
        }
    )*};
}

/// A type that refuses any other text, so that the fields after it in a struct can't be traced.
#[derive(Clone, Debug, Serialize)]
struct Date(String);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)? {
            text if text.starts_with("year") => Ok(Self(text)),
            _ => Err(de::Error::custom("no date")),
        }
    }
}

fn date() -> Date {
    Date("year 2026".to_owned())
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<T>,
}

fn page<T>(item: fn() -> T) -> Page<T> {
    Page {
        items: vec![item()],
        next: Some(item()),
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Either<A, B> {
    Left(A),
    Right(B),
}

/// Different types with equal names.
mod twin {
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub(super) struct Stored<T> {
        pub(super) tags: Vec<T>,
        pub(super) of: Option<T>,
    }
}

releases! {
    a_number_that_became_signed_is_a_miss: {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) count: u32 }
    } { Stored { count: 6 } } => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) count: i32 }
    } { Stored { count: -6 } };

    fields_that_changed_places_are_a_miss: {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) likes: u32, pub(super) views: u32 }
    } { Stored { likes: 1, views: 2 } } => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) views: u32, pub(super) likes: u32 }
    } { Stored { likes: 3, views: 4 } };

    variants_that_changed_places_are_a_miss: {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) enum Stored { On, #[allow(dead_code)] Off }
    } { Stored::On } => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) enum Stored { Off, #[allow(dead_code)] On }
    } { Stored::Off };

    a_number_after_an_opaque_text_that_became_signed_is_a_miss: {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) on: Date, pub(super) count: u32 }
    } { Stored { on: date(), count: 6 } } => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) on: Date, pub(super) count: i32 }
    } { Stored { on: date(), count: 6 } };

    variants_after_an_opaque_text_that_changed_places_are_a_miss: {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) enum State { On, #[allow(dead_code)] Off }
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) on: Date, pub(super) state: State }
    } { Stored { on: date(), state: State::On } } => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) enum State { #[allow(dead_code)] Off, On }
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) on: Date, pub(super) state: State }
    } { Stored { on: date(), state: State::On } };

    a_nested_generic_whose_innermost_type_changed_is_a_miss: {
        pub(super) type Stored = Page<Page<u32>>;
    } { page(|| page(|| 6)) } => {
        pub(super) type Stored = Page<Page<i32>>;
    } { page(|| page(|| -6)) };

    a_changed_type_inside_another_of_its_name_is_a_miss: {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) twin: twin::Stored<u32> }
    } { Stored { twin: twin::Stored { tags: vec![6], of: Some(6) } } } => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(super) struct Stored { pub(super) twin: twin::Stored<i32> }
    } { Stored { twin: twin::Stored { tags: vec![-6], of: None } } };

    two_results_whose_types_changed_are_a_miss: {
        pub(super) type Stored = (Result<u32, String>, Result<u32, u32>);
    } { (Ok(6), Ok(6)) } => {
        pub(super) type Stored = (Result<u32, String>, Result<i32, u32>);
    } { (Ok(6), Ok(-6)) };

    a_generic_enum_whose_other_variant_changed_is_a_miss: {
        pub(super) type Stored = Vec<(Either<u8, u32>, Either<u8, u8>)>;
    } { vec![(Either::Right(6), Either::Left(1))] } => {
        pub(super) type Stored = Vec<(Either<u8, i32>, Either<u8, u8>)>;
    } { vec![(Either::Right(-6), Either::Left(1))] };

    a_list_that_became_a_text_is_a_miss: {
        pub(super) type Stored = Vec<u8>;
    } { b"abc".to_vec() } => {
        pub(super) type Stored = String;
    } { "xyz".to_owned() };

    an_option_that_became_its_value_is_a_miss: {
        pub(super) type Stored = (Option<u8>, u8);
    } { (None, 1) } => {
        pub(super) type Stored = (u8, u8);
    } { (7, 8) };
}
