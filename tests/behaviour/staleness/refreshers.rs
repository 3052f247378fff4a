//! Where a stale value is refreshed: in the background if the body owns its arguments, otherwise by
//! the caller that finds it stale.

use std::cell::Cell;
use std::fmt::Display;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use cache_runtime::{Cache, cacheable};

use crate::staleness::support::{LIFE, Place, Work, on_both, until_stored};
use tests::soon;

/// A type that is not `Clone`.
struct Single;
/// A type that is `Clone` and not `Send`.
type Local = Rc<u32>;
/// A type that is `Clone` and `Send` and not `Sync`.
type Unshared = Cell<Option<u8>>;

macro_rules! functions {
    ($($name:ident $key:literal [$($generics:tt)*] ($($argument:ident: $ty:ty),*) $($option:ident = $value:literal)?;)*) => {$(
        #[cacheable(key = $key, ttl = work.life, stale = "10m", skip(work $(, $argument)*), companions = false $(, $option = $value)?)]
        async fn $name $($generics)* (work: Work $(, $argument: $ty)*) -> u32 {
            $(let _ = &$argument;)*
            work.run_through()
        }
    )*};
}

functions! {
    owned "owned" [] ();
    several "several" [] (a: u32, b: Option<Vec<String>>, c: (u8, [bool; 3]), d: Arc<dyn Display + Send + Sync>);
    of_const "of-const" [<const N: usize>] (bytes: [u8; N]);
    unshared "unshared" [] (value: Unshared);
    asked "asked" [] (a: u32) refresh = "background";

    by_reference "by-reference" [] (name: &str);
    by_static_reference "by-static-reference" [] (name: &'static str);
    by_lifetime "by-lifetime" [] (name: std::borrow::Cow<'_, str>);
    by_type_parameter "by-type-parameter" [<T: Clone + Send + 'static>] (value: T);
    by_impl_trait "by-impl-trait" [] (value: impl Clone + Send + 'static);
    by_single "by-single" [] (value: Single);
    by_local "by-local" [] (value: Local);
    told "told" [] (a: u32) refresh = "caller";
}

struct Repo {
    cache: Cache,
}

impl Repo {
    #[cacheable(key = "method", ttl = work.life, stale = "10m", skip(work), cache = self.cache)]
    async fn method(&self, work: Work) -> u32 {
        work.run_through()
    }

    #[cacheable(key = "owning-method", ttl = work.life, stale = "10m", skip(work), cache = self.cache)]
    async fn owning_method(self, work: Work) -> u32 {
        work.run_through()
    }

    #[cacheable(key = "associated", ttl = work.life, stale = "10m", skip(work), companions = false)]
    async fn associated(work: Work) -> u32 {
        work.run_through()
    }
}

#[async_trait::async_trait]
trait Rows {
    async fn boxed(&self, work: Work) -> u32;
}

#[async_trait::async_trait]
impl Rows for Repo {
    #[cacheable(key = "boxed", ttl = work.life, stale = "10m", skip(work))]
    async fn boxed(&self, work: Work) -> u32 {
        work.run_through()
    }
}

#[cacheable(key = "sync-owned", ttl = work.life, stale = "10m", skip(work), companions = false)]
fn sync_owned(work: Work) -> u32 {
    work.run_through()
}

#[cacheable(key = "sync-borrowed", ttl = work.life, stale = "10m", skip(work), companions = false)]
fn sync_borrowed(work: &Work) -> u32 {
    work.run_through()
}

/// Return whether a call that finds the stale value returns it, and the background refreshes.
async fn is_in_background<F: Future<Output = u32>>(
    place: &Place,
    key: &str,
    call: impl Fn(Work) -> F,
) -> bool {
    let work = place.work();
    assert_eq!(call(work.clone()).await, 1, "{key}");
    place.turns_stale(key).await;
    match soon(call(work.clone())).await {
        1 => {
            until_stored(&place.cache, key, 2).await;
            assert_eq!(work.runs.count(), 2, "{key}");
            true
        }
        2 => {
            assert_eq!(place.cache.get::<u32>(key).await.unwrap(), Some(2), "{key}");
            false
        }
        other => panic!("{key}: {other}"),
    }
}

#[tokio::test]
async fn a_body_that_owns_its_arguments_is_refreshed_in_the_background() {
    on_both(|place| async move {
        let place = &place;
        assert!(is_in_background(place, "owned", owned).await);
        let with_several = |work| several(work, 1, None, (1, [true; 3]), Arc::new("a"));
        assert!(is_in_background(place, "several", with_several).await);
        let not_sync = |work| unshared(work, Cell::new(None));
        assert!(is_in_background(place, "unshared", not_sync).await);
        assert!(is_in_background(place, "asked", |work| asked(work, 1)).await);
        assert!(is_in_background(place, "associated", Repo::associated).await);
        let blocking = |work| {
            let cache = place.cache.clone();
            async move {
                let call = move || cache.scope_sync(|| sync_owned(work));
                tokio::task::spawn_blocking(call).await.unwrap()
            }
        };
        assert!(is_in_background(place, "sync-owned", blocking).await);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_cannot_run_in_the_background_is_refreshed_by_its_caller() {
    on_both(|place| async move {
        let place = &place;
        let name = String::from("a");
        assert!(!is_in_background(place, "by-reference", |work| by_reference(work, &name)).await);
        let fixed = |work| by_static_reference(work, "a");
        assert!(!is_in_background(place, "by-static-reference", fixed).await);
        let cow = |work| by_lifetime(work, (&*name).into());
        assert!(!is_in_background(place, "by-lifetime", cow).await);
        let single = |work| by_single(work, Single);
        assert!(!is_in_background(place, "by-single", single).await);
        let local = |work| by_local(work, Rc::new(1));
        assert!(!is_in_background(place, "by-local", local).await);
        assert!(!is_in_background(place, "told", |work| told(work, 1)).await);
        let repo = Repo {
            cache: place.cache.clone(),
        };
        assert!(!is_in_background(place, "method", |work| repo.method(work)).await);
        let owning = |work| {
            Repo {
                cache: place.cache.clone(),
            }
            .owning_method(work)
        };
        assert!(!is_in_background(place, "owning-method", owning).await);
        assert!(!is_in_background(place, "boxed", |work| repo.boxed(work)).await);
        let blocking = |work| {
            let cache = place.cache.clone();
            async move {
                let call = move || cache.scope_sync(|| sync_borrowed(&work));
                tokio::task::spawn_blocking(call).await.unwrap()
            }
        };
        assert!(!is_in_background(place, "sync-borrowed", blocking).await);
    })
    .await;
}

/// Return what a call returns that finds the stale value. The key has a variant that the test
/// doesn't know.
async fn gives_when_stale<F: Future<Output = u32>>(place: &Place, call: impl Fn(Work) -> F) -> u32 {
    let work = place.work();
    assert_eq!(call(work.clone()).await, 1);
    place.pass(LIFE);
    soon(call(work)).await
}

#[tokio::test]
async fn a_type_parameter_prevents_a_background_refresh_and_a_const_parameter_does_not() {
    on_both(|place| async move {
        let generic = |work| by_type_parameter(work, 1_u32);
        assert_eq!(gives_when_stale(&place, generic).await, 2);
        let hidden = |work| by_impl_trait(work, 1_u32);
        assert_eq!(gives_when_stale(&place, hidden).await, 2);
        let bytes = |work| of_const(work, [1, 2]);
        assert_eq!(gives_when_stale(&place, bytes).await, 1);
    })
    .await;
}
