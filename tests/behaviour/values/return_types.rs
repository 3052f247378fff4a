//! Return types: which values of each are stored.

use std::io;
use std::sync::Arc;

use axum::Json;
use cache_runtime::{Stats, Storable, cacheable};
use tests::{Stores, on_both_stores};

use crate::common::{Post, Runs};

/// A stand-in for the crate of that name.
mod anyhow {
    #[derive(Debug)]
    #[allow(dead_code)]
    pub(crate) struct Error(Box<dyn std::error::Error + Send + Sync>);
    pub(crate) type Result<T, E = Error> = core::result::Result<T, E>;
    impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Error {
        fn from(error: E) -> Self {
            Self(error.into())
        }
    }
}

type Fallible<T> = Result<T, Refused>;
type Maybe = Option<Post>;
type Both = Fallible<Option<Arc<Post>>>;

/// An error type without any traits.
struct Refused;

impl std::fmt::Debug for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("refused")
    }
}

fn post() -> Post {
    Post::new(1, "a")
}

macro_rules! returning {
    ($test:ident, $runs_each:literal; $($name:ident -> $type:ty { $value:expr })*) => {
        $(
            #[cacheable(skip(runs))]
            async fn $name(runs: &Runs) -> $type {
                runs.next();
                $value
            }
        )*

        #[tokio::test]
        async fn $test() {
            on_both_stores(|_| async {
                $(
                    let runs = Runs::default();
                    let computed: $type = $value;
                    for call in 1..=2 {
                        let given = $name(&runs).await;
                        let message = concat!(stringify!($name), ": ", stringify!($type));
                        assert_eq!(format!("{given:?}"), format!("{computed:?}"), "{message}, call {call}");
                    }
                    assert_eq!(runs.count(), $runs_each, stringify!($name));
                )*
            })
            .await;
        }
    };
}

returning! {
    every_documented_return_type_is_stored, 1;
    plain -> Post { post() }
    arc -> Arc<Post> { Arc::new(post()) }
    option -> Option<Post> { Some(post()) }
    maybe -> Maybe { Some(post()) }
    result -> Result<Post, Refused> { Ok(post()) }
    fallible -> Fallible<Post> { Ok(post()) }
    from_io -> io::Result<Post> { Ok(post()) }
    from_anyhow -> anyhow::Result<Post> { Ok(post()) }
    from_anyhow_with_error -> anyhow::Result<Post, String> { Ok(post()) }
    boxed_error -> Result<Post, Box<dyn std::error::Error + Send + Sync>> { Ok(post()) }
    result_option -> Result<Option<Post>, Refused> { Ok(Some(post())) }
    result_arc -> Result<Arc<Post>, Refused> { Ok(Arc::new(post())) }
    option_arc -> Option<Arc<Post>> { Some(Arc::new(post())) }
    result_option_arc -> Both { Ok(Some(Arc::new(post()))) }
    json -> Json<Post> { Json(post()) }
    result_json -> Result<Json<Post>, Refused> { Ok(Json(post())) }
    option_json -> Option<Json<Post>> { Some(Json(post())) }
    result_option_json -> Fallible<Option<Json<Post>>> { Ok(Some(Json(post()))) }
    nothing -> () { () }
    result_nothing -> Result<(), Refused> { Ok(()) }
    list -> Vec<Post> { vec![post(), Post::new(2, "b")] }
    list_of_results -> Vec<Result<u8, String>> { vec![Ok(1), Err("x".to_owned())] }
    list_of_options -> Vec<Option<u8>> { vec![None, Some(1)] }
    boxed -> Box<Post> { Box::new(post()) }
    arc_list -> Result<Arc<Vec<Post>>, Refused> { Ok(Arc::new(vec![post()])) }
    result_in_result -> Result<Result<u8, String>, Refused> { Ok(Ok(1)) }
}

returning! {
    an_err_and_by_default_a_none_are_never_stored, 2;
    err -> Result<Post, Refused> { Err(Refused) }
    err_of_alias -> Fallible<Post> { Err(Refused) }
    err_of_io -> io::Result<Post> { Err(io::Error::other("x")) }
    err_of_option -> Result<Option<Post>, Refused> { Err(Refused) }
    err_of_json -> Result<Json<Post>, Refused> { Err(Refused) }
    err_within -> Result<Result<u8, String>, Refused> { Ok(Err("x".to_owned())) }
    err_in_arc -> Arc<Result<u8, String>> { Arc::new(Err("x".to_owned())) }
    none -> Option<Post> { None }
    none_of_alias -> Maybe { None }
    none_in_result -> Result<Option<Post>, Refused> { Ok(None) }
    none_of_arc -> Option<Arc<Post>> { None }
    none_of_both -> Both { Ok(None) }
    none_of_json -> Option<Json<Post>> { None }
}

#[cacheable(cache_none, skip(runs))]
async fn kept_none(runs: &Runs) -> Option<Post> {
    runs.next();
    None
}

#[cacheable(cache_none, skip(runs))]
async fn kept_none_in_result(runs: &Runs) -> Result<Option<Arc<Post>>, Refused> {
    runs.next();
    Ok(None)
}

#[cacheable(cache_none, skip(runs))]
async fn kept_nested(runs: &Runs, some: bool) -> Option<Option<u8>> {
    runs.next();
    some.then_some(None)
}

#[cacheable(cache_none, skip(runs))]
fn kept_err(runs: &Runs) -> Result<Option<Post>, Refused> {
    runs.next();
    Err(Refused)
}

#[tokio::test]
async fn cache_none_stores_none_and_not_err() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(kept_none(&runs).await, None);
            assert!(kept_none_in_result(&runs).await.unwrap().is_none());
            assert_eq!(kept_nested(&runs, true).await, Some(None));
            assert_eq!(kept_nested(&runs, false).await, None);
        }
        assert_eq!(runs.count(), 4);
        for _ in 0..2 {
            assert!(kept_err(&runs).is_err());
        }
        assert_eq!(runs.count(), 6);
    })
    .await;
}

#[cacheable(key = "shared", skip(runs))]
async fn shared(runs: &Runs) -> Arc<Post> {
    Arc::new(Post::new(runs.next(), "a"))
}

#[cacheable(key = "shared-deep", skip(runs))]
fn shared_deep(runs: &Runs) -> Result<Option<Arc<Post>>, Refused> {
    Ok(Some(Arc::new(Post::new(runs.next(), "a"))))
}

#[tokio::test]
async fn a_hit_in_memory_returns_the_same_allocation() {
    let stores = Stores::new();
    for (store, cache) in &stores.caches {
        let runs = Runs::default();
        cache
            .scope(async {
                let (first, second) = (shared(&runs).await, shared(&runs).await);
                assert_eq!(first, second);
                assert_eq!(Arc::ptr_eq(&first, &second), *store == "memory");
                let deep = || shared_deep(&runs).unwrap().unwrap();
                let (first, second) = (deep(), deep());
                assert_eq!(Arc::ptr_eq(&first, &second), *store == "memory");
                assert_eq!(runs.count(), 2);
            })
            .await;
    }
}

#[cacheable(key = "hiding:<<name>>", skip(runs, make))]
async fn hiding<T: Storable>(name: &str, runs: &Runs, make: fn() -> T) -> T {
    runs.next();
    make()
}

#[tokio::test]
async fn the_err_of_a_result_behind_a_type_parameter_is_not_cached() {
    async fn runs_of<T: Storable + std::fmt::Debug + PartialEq>(make: fn() -> T) -> u32 {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(hiding("x", &runs, make).await, make());
        }
        runs.count()
    }
    on_both_stores(|_| async {
        assert_eq!(
            runs_of::<Result<u8, String>>(|| Err("down".to_owned())).await,
            2
        );
        assert_eq!(runs_of::<Result<u8, String>>(|| Ok(1)).await, 1);
        assert_eq!(runs_of::<Option<u8>>(|| None).await, 2);
        assert_eq!(runs_of::<Option<u8>>(|| Some(1)).await, 1);
        assert_eq!(runs_of::<Result<Option<u8>, u8>>(|| Ok(None)).await, 2);
        assert_eq!(runs_of::<u8>(|| 1).await, 1);
        assert_eq!(runs_of::<Vec<Option<u8>>>(|| vec![None]).await, 1);
    })
    .await;
}

#[tokio::test]
async fn unusual_return_types_count_no_errors() {
    on_both_stores(|cache| async move {
        let runs = Runs::default();
        plain(&runs).await;
        err(&runs).await.unwrap_err();
        kept_none(&runs).await;
        nothing(&runs).await;
        let Stats {
            errors,
            fills,
            misses,
            ..
        } = cache.stats();
        assert_eq!((errors, fills, misses), (0, 3, 4));
    })
    .await;
}
