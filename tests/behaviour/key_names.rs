//! Functions without `key`: their path is `crate:module:function`.

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
        pub(crate) async fn load(id: u32) -> (&'static str, u32) {
            ("deeper", id)
        }
    }

    #[cache_runtime::cacheable]
    pub(crate) async fn load(id: u32) -> (&'static str, u32) {
        ("inner", id)
    }
}

#[test]
fn the_path_is_crate_module_function_and_all_arguments_are_hashed() {
    memory().scope_sync(|| {
        assert_eq!(plain_cache_key(), "quickpost:behaviour:key_names:plain");
        assert_eq!(
            inner::deeper::plain_cache_key(),
            "quickpost:behaviour:key_names:inner:deeper:plain"
        );
        let key = with_argument_cache_key(1);
        assert_eq!(variant(&key).unwrap().len(), 26);
        assert!(key.starts_with("quickpost:behaviour:key_names:with_argument#"), "{key}");
        assert_ne!(key, with_argument_cache_key(2));
    });
}

struct Posts;
struct Users;

impl Posts {
    #[cacheable]
    async fn load(&self, runs: Runs2) -> u32 {
        runs.next()
    }
}

impl Users {
    #[cacheable]
    async fn load(&self, runs: Runs2) -> u32 {
        runs.next()
    }
}

trait Load {
    fn fetch(&self, runs: Runs2) -> u32;
}

impl Load for Posts {
    #[cacheable]
    fn fetch(&self, runs: Runs2) -> u32 {
        runs.next()
    }
}

impl Load for Users {
    #[cacheable]
    fn fetch(&self, runs: Runs2) -> u32 {
        runs.next()
    }
}
