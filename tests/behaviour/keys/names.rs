//! Functions without `key`: their path is `crate:module:function`.
#![allow(dead_code, reason = "of most functions only the keys are asked for")]

use cache_runtime::cacheable;
use tests::on_both_stores;

use crate::common::{Runs, memory, variant};

#[cacheable]
fn plain() {}

#[cacheable]
fn with_argument(id: u32) {}

mod inner {
    pub(crate) mod deeper {
        use cache_runtime::cacheable;

        #[cacheable]
        pub(crate) fn plain() {}

        #[cacheable]
        pub(crate) async fn load(id: u32) -> (String, u32) {
            ("deeper".to_owned(), id)
        }
    }

    #[cache_runtime::cacheable]
    pub(crate) async fn load(id: u32) -> (String, u32) {
        ("inner".to_owned(), id)
    }
}

#[test]
fn without_key_the_path_is_crate_module_function_and_all_arguments_are_hashed() {
    memory().scope_sync(|| {
        assert_eq!(plain_cache_key(), "quickpost:behaviour:keys:names:plain");
        assert_eq!(
            inner::deeper::plain_cache_key(),
            "quickpost:behaviour:keys:names:inner:deeper:plain"
        );
        let key = with_argument_cache_key(1);
        assert_eq!(variant(&key).unwrap().len(), 26);
        assert!(
            key.starts_with("quickpost:behaviour:keys:names:with_argument#"),
            "{key}"
        );
        assert_ne!(key, with_argument_cache_key(2));
    });
}

#[tokio::test]
async fn functions_with_one_name_in_different_modules_have_separate_entries() {
    on_both_stores(|_| async {
        for _ in 0..2 {
            assert_eq!(inner::load(1).await.0, "inner");
            assert_eq!(inner::deeper::load(1).await.0, "deeper");
        }
    })
    .await;
}

struct Posts;
struct Users;

impl Posts {
    #[cacheable(skip(runs))]
    async fn load(&self, runs: &Runs) -> u32 {
        runs.next()
    }
}

impl Users {
    #[cacheable(skip(runs))]
    async fn load(&self, runs: &Runs) -> u32 {
        runs.next()
    }
}

trait Fetch {
    fn fetch(&self, runs: &Runs) -> u32;
}

impl Fetch for Posts {
    #[cacheable(skip(runs))]
    fn fetch(&self, runs: &Runs) -> u32 {
        runs.next()
    }
}

impl Fetch for Users {
    #[cacheable(skip(runs))]
    fn fetch(&self, runs: &Runs) -> u32 {
        runs.next()
    }
}

impl<T: Fetch> Fetch for Option<T> {
    #[cacheable(skip(runs))]
    fn fetch(&self, runs: &Runs) -> u32 {
        runs.next()
    }
}

#[tokio::test]
async fn methods_with_one_name_in_different_impls_have_separate_entries() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(Posts.load(&runs).await, 1);
            assert_eq!(Users.load(&runs).await, 2);
            assert_eq!(Posts.fetch(&runs), 3);
            assert_eq!(Users.fetch(&runs), 4);
            assert_eq!(Some(Posts).fetch(&runs), 5);
            assert_eq!(Some(Users).fetch(&runs), 6);
        }
    })
    .await;
}

async fn first_host(runs: &Runs) -> u32 {
    #[cacheable(skip(runs))]
    async fn nested(runs: &Runs) -> u32 {
        runs.next()
    }
    nested(runs).await
}

async fn second_host(runs: &Runs) -> u32 {
    #[cacheable(skip(runs))]
    async fn nested(runs: &Runs) -> u32 {
        runs.next()
    }
    nested(runs).await
}

#[tokio::test]
async fn functions_with_one_name_in_different_functions_have_separate_entries() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(first_host(&runs).await, 1);
            assert_eq!(second_host(&runs).await, 2);
        }
    })
    .await;
}

#[cacheable(skip(runs))]
#[allow(clippy::extra_unused_type_parameters)]
async fn generic<T>(runs: &Runs) -> u32 {
    runs.next()
}

#[tokio::test]
async fn instances_of_a_generic_function_have_separate_entries() {
    on_both_stores(|_| async {
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!(generic::<u8>(&runs).await, 1);
            assert_eq!(generic::<u16>(&runs).await, 2);
            assert_eq!(generic::<Option<u8>>(&runs).await, 3);
        }
    })
    .await;
}
