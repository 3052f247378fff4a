//! Nothing that is generated needs the prelude, or a name that the user could have taken.
mod strict {
    #![no_implicit_prelude]

    #[::cache_runtime::cacheable(
        key = "posts:<<slug>>:<<page>>",
        ttl = |post: &Post| post.lifetime,
        unless = |post| post.lifetime == 1,
        condition = page < 10,
        skip(salt)
    )]
    pub async fn read(slug: &str, page: u32, salt: u64) -> Result<Option<Post>, Error> {
        let _ = (slug, salt);
        Result::Ok(Option::Some(Post {
            lifetime: u64::from(page),
        }))
    }

    #[::cache_runtime::cacheable(key = "both:<<id>>")]
    #[::cache_runtime::invalidate(patterns = ["lists:<<result>>:<<id>>"], when = "always")]
    pub fn both(id: u64) -> u64 {
        id
    }

    #[::cache_runtime::invalidate(patterns = ["posts:<<slug>>:*", "posts:<<result.lifetime>>"])]
    pub async fn write(slug: String) -> Result<Post, Error> {
        let _ = slug;
        Result::Err(Error)
    }

    #[derive(
        ::std::clone::Clone,
        ::std::fmt::Debug,
        ::std::cmp::PartialEq,
        ::serde::Serialize,
        ::serde::Deserialize,
    )]
    pub struct Post {
        lifetime: u64,
    }
    #[derive(::std::fmt::Debug, ::std::cmp::PartialEq)]
    pub struct Error;

    use ::std::convert::From;
    use ::std::option::Option;
    use ::std::result::Result;
    use ::std::string::String;
}

/// The user's own types with the names of the prelude's.
mod types {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub enum Option<T> {
        Some(T),
        None,
    }
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub enum Result<T, E> {
        Ok(T),
        Err(E),
    }
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub struct String(pub u8);
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub struct Vec(pub u8);
}

/// They are arguments and returned here, among more that has a name which the generated code could use.
mod taken {
    #![allow(dead_code, non_camel_case_types)]
    use super::types::Option::{self, None, Some};
    use super::types::Result::{self, Err, Ok};
    use super::types::{String, Vec};

    pub mod core {}
    pub mod std {}
    pub mod cache_runtime {}
    pub mod diagnostic {}
    pub struct Cache;
    pub struct Arc<T>(T);
    pub struct Sized;
    pub struct Probe;
    pub struct u64;
    pub struct str;
    pub struct bool;
    pub trait Clone {
        fn clone(&self) {}
    }
    impl<T> Clone for T {}
    pub trait Methods {
        fn with(&self) {}
        fn fit(&self) {}
        fn checked(&self) {}
        fn shape(&self) {}
        fn part(&self) {}
        fn write(&self) {}
        fn hash(&self) {}
        fn text(&self) {}
        fn rendered(&self) {}
    }
    impl<T: ?::core::marker::Sized> Methods for T {}

    // These are the user's enums, so they are values as any: an `Err` of them is stored.
    #[::cache_runtime::cacheable(key = "taken:<<id>>")]
    pub fn result(id: u8, hashed: Option<Vec>) -> Result<String, u8> {
        match hashed {
            Some(Vec(taken)) => Err(taken),
            None => Ok(String(id)),
        }
    }

    #[::cache_runtime::cacheable(key = "taken:options:<<id>>")]
    pub async fn option(id: u8, cache: u8) -> Option<Vec> {
        let _ = cache;
        if id == 0 { None } else { Some(Vec(id)) }
    }

    #[::cache_runtime::invalidate(patterns = ["taken:<<id>>"])]
    pub async fn write(id: u8) -> Option<Vec> {
        Some(Vec(id))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = cache_runtime::Cache::builder().build().expect("a cache");
    let calls = async {
        for _ in 0..2 {
            let read = strict::read("a", 5, 2).await;
            assert!(matches!(read, Ok(Some(_))));
            assert_eq!(strict::both(1), 1);
            assert_eq!(
                taken::result(1, types::Option::Some(types::Vec(2))),
                types::Result::Err(2)
            );
            assert_eq!(taken::option(0, 1).await, types::Option::None);
        }
        assert_eq!(strict::write("a".to_owned()).await, Err(strict::Error));
        assert_eq!(taken::write(7).await, types::Option::Some(types::Vec(7)));
    };
    cache.scope(calls).await;
    assert_eq!(cache.stats().hits, 4);
}
