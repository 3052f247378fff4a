//! Functions, callers and lints that break the attributes of other caches.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use cache_runtime::{Cache, cacheable, invalidate};
use tests::on_both_stores;
use tokio::task::LocalSet;

use crate::common::{Runs, memory};

/// A module as in a crate that denies clippy's stricter groups.
mod strict {
    #![deny(clippy::pedantic, clippy::nursery, clippy::cargo, warnings)]
    #![deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::clone_on_ref_ptr,
        clippy::exhaustive_structs,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::let_underscore_must_use,
        clippy::let_underscore_untyped,
        clippy::missing_docs_in_private_items,
        clippy::mod_module_files,
        clippy::panic,
        clippy::pattern_type_mismatch,
        clippy::ref_patterns,
        clippy::semicolon_inside_block,
        clippy::shadow_reuse,
        clippy::shadow_same,
        clippy::shadow_unrelated,
        clippy::std_instead_of_alloc,
        clippy::std_instead_of_core,
        clippy::unreachable,
        clippy::unwrap_in_result,
        clippy::wildcard_enum_match_arm,
        unused_results,
        single_use_lifetimes,
        let_underscore_drop
    )]

    use core::time::Duration;

    /// A row.
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    pub(super) struct Row {
        /// Its number.
        pub(super) id: u32,
    }

    /// All options together.
    #[cache_runtime::cacheable(
        key = "strict:<<id>>:<<name.len()>>",
        ttl = |row: &Row| Duration::from_secs(u64::from(row.id)),
        condition = id > 0,
        unless = |row: &Row| row.id > 100,
        version = 2,
        jitter = 0.1,
        debug = true
    )]
    pub(super) async fn load(
        id: u32,
        name: &str,
        page: Option<u32>,
    ) -> Result<Option<Row>, core::fmt::Error> {
        core::future::ready(()).await;
        if name.is_empty() || page.is_some() {
            return Ok(None);
        }
        Ok(Some(Row { id }))
    }

    /// A sync function.
    #[cache_runtime::cacheable]
    pub(super) fn sum(a: u8, b: u8) -> u16 {
        u16::from(a).saturating_add(u16::from(b))
    }

    /// A refreshed function.
    #[cache_runtime::cacheable(key = "strict:stale:<<id>>", stale = "1m", early = true)]
    pub(super) async fn stale(id: u32) -> u32 {
        core::future::ready(id).await
    }

    /// A write.
    #[cache_runtime::invalidate(patterns = ["strict:<<id>>:*", "strict:<<result>>"], condition = id > 0)]
    pub(super) async fn write(id: u32) -> Result<u32, core::fmt::Error> {
        core::future::ready(Ok(id)).await
    }

    /// A sync write.
    #[cache_runtime::invalidate(patterns = ["strict:*"], when = "always")]
    pub(super) fn forget() {}

    /// A type with a cache.
    #[derive(Debug)]
    pub(super) struct Repo {
        /// The cache.
        pub(super) cache: cache_runtime::Cache,
        /// The owner of the rows.
        pub(super) tenant: u8,
    }

    impl Repo {
        /// A method.
        #[cache_runtime::cacheable(key = "strict:method:<<self.tenant>>:<<id>>", cache = self.cache)]
        pub(super) async fn get(&self, id: u32) -> u32 {
            core::future::ready(id).await
        }
    }
}

// Generated code violates lints that the user's crate denies.
#[tokio::test]
async fn generated_code_passes_the_strictest_lints() {
    let cache = memory();
    let repo = strict::Repo {
        cache: cache.clone(),
        tenant: 1,
    };
    cache
        .scope(async {
            for _ in 0..2 {
                assert_eq!(strict::load(7, "a", None).await.unwrap().unwrap().id, 7);
                assert_eq!(strict::sum(1, 2), 3);
                assert_eq!(strict::stale(1).await, 1);
                assert_eq!(repo.get(1).await, 1);
            }
            assert_eq!(strict::write(7).await, Ok(7));
            strict::forget();
        })
        .await;
    assert_eq!(cache.stats().hits, 4);
}

#[cacheable(key = "local:<<id>>", skip(state))]
async fn not_send(id: u32, state: Rc<Cell<u32>>) -> u32 {
    state.set(state.get() + 1);
    tokio::task::yield_now().await;
    state.get()
}

// A body that isn't `Send` doesn't compile, or panics on a runtime of one thread.
#[test]
fn bodies_that_are_not_send_are_cached() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        on_both_stores(|cache| async move {
            let state = Rc::new(Cell::new(0));
            for _ in 0..2 {
                let call = cache.scope(not_send(1, Rc::clone(&state)));
                assert_eq!(tokio::task::spawn_local(call).await.unwrap(), 1);
            }
        })
        .await;
    });
}

trait Source {
    fn read(&self) -> u32;
}

impl Source for u32 {
    fn read(&self) -> u32 {
        *self
    }
}

#[cacheable(key = "odd:<<id.len()>>", skip(source, run, hook, marker, plain))]
async fn odd_arguments<'a, F, const N: usize>(
    id: [u8; N],
    source: &(dyn Source + Sync),
    run: impl AsyncFn(u32) -> u32,
    hook: F,
    marker: PhantomData<fn() -> F>,
    plain: fn(u32) -> u32,
    list: &'a [&'a str],
) -> u32
where
    F: for<'x> Fn(&'x str) -> &'x str,
    [u8; N]: Shown,
{
    let PhantomData = marker;
    plain(run(source.read()).await) + hook("abc").len() as u32 + list.len() as u32
}

fn tail(text: &str) -> &str {
    &text[1..]
}

trait Shown {}
impl Shown for [u8; 2] {}

// Closures, trait objects, markers, function pointers and const generics as arguments don't
// compile.
#[tokio::test]
async fn arguments_that_cannot_be_hashed_can_be_skipped() {
    #[cacheable(key = "shown:<<id.len()>>", skip(run))]
    async fn of_async_closure<R: AsyncFnMut() -> u32>(id: &str, mut run: R) -> u32 {
        run().await
    }

    on_both_stores(|_| async {
        for _ in 0..2 {
            let runs = Runs::default();
            assert_eq!(of_async_closure("a", async || runs.next()).await, 1);
            let run = async |n| runs.next() + n;
            let given = odd_arguments([1, 2], &5, run, tail, PhantomData, |n| n * 100, &["x"]);
            assert_eq!(given.await, 703);
        }
    })
    .await;
}

#[cacheable(key = "control:<<id>>")]
fn control_flow(id: u32) -> Option<u32> {
    let found = 'search: {
        for n in 0..10 {
            if n == id {
                break 'search Some(n);
            }
            if n > 5 {
                return None;
            }
        }
        None
    };
    let flow = (0..3).try_for_each(|n| {
        if n == 9 {
            ControlFlow::Break(n)
        } else {
            ControlFlow::Continue(())
        }
    });
    let Some(n @ 1..) = found else { return None };
    let n = u32::try_from(i64::from(n)).ok()?;
    matches!(flow, ControlFlow::Continue(())).then_some(n)
}

// A body that leaves through a label, `return`, `?` or `let else` is split at the wrong place.
#[test]
fn every_way_to_leave_a_body_returns_its_value() {
    let cache = memory();
    cache.scope_sync(|| {
        for _ in 0..2 {
            assert_eq!((control_flow(3), control_flow(8)), (Some(3), None));
        }
    });
    assert_eq!(cache.stats().hits, 1);
}

// A function within a function, a closure or a constant has no place for its state.
#[tokio::test]
async fn functions_nested_in_any_item_are_cached() {
    const fn one() -> u32 {
        1
    }
    on_both_stores(|cache| async move {
        let in_closure = |runs: &Runs| {
            #[cacheable(key = "in-closure", skip(runs))]
            fn inner(runs: &Runs) -> u32 {
                runs.next() + one()
            }
            inner(runs)
        };
        let in_async = async |runs: &Runs| {
            #[cacheable(key = "in-async", skip(runs))]
            async fn inner(runs: &Runs) -> u32 {
                runs.next()
            }
            inner(runs).await
        };
        let runs = Runs::default();
        for _ in 0..2 {
            assert_eq!((in_closure(&runs), in_async(&runs).await), (2, 2));
        }
        assert_eq!(cache.stats().hits, 2);
    })
    .await;
}

#[derive(Clone)]
struct Service(Arc<Runs>, u8);

impl Service {
    #[cacheable(key = "self:arc:<<self.1>>:<<id>>")]
    async fn by_arc(self: Arc<Self>, id: u32) -> u32 {
        self.0.next()
    }
    #[cacheable(key = "self:rc:<<self.1>>:<<id>>")]
    async fn by_rc(self: Rc<Self>, id: u32) -> u32 {
        self.0.next()
    }
    #[cacheable(key = "self:pin:<<self.1>>:<<id>>")]
    async fn by_pin(self: std::pin::Pin<&mut Self>, id: u32) -> u32 {
        self.0.next()
    }
    #[cacheable(key = "self:boxed:<<self.1>>:<<id>>")]
    fn by_ref_to_arc(self: &Arc<Self>, id: u32) -> u32 {
        self.0.next()
    }
    #[invalidate(patterns = ["self:*"])]
    async fn write(self: Box<Self>) {}
}

// A receiver other than `&self` doesn't compile.
#[tokio::test]
async fn methods_with_any_receiver_are_cached() {
    on_both_stores(|_| async {
        let mut service = Service(Arc::default(), 1);
        let shared = Arc::new(service.clone());
        for _ in 0..2 {
            assert_eq!(Arc::clone(&shared).by_arc(1).await, 1);
            assert_eq!(Rc::new(service.clone()).by_rc(1).await, 2);
            assert_eq!(std::pin::Pin::new(&mut service).by_pin(1).await, 3);
            assert_eq!(shared.by_ref_to_arc(1), 4);
        }
        Box::new(service.clone()).write().await;
        assert_eq!(shared.by_ref_to_arc(1), 5);
    })
    .await;
}

// A sync function blocks the runtime's only thread, which has to complete the value it waits for.
#[tokio::test]
async fn a_sync_call_does_not_block_an_async_computation_of_its_key() {
    on_both_stores(|cache| async move {
        let computed = cache.get_or_set("mixed", 60, || async {
            tokio::task::yield_now().await;
            1
        });
        let blocking = async { cache.blocking().get_or_set("mixed", 60, || 2) };
        let (computed, blocked) =
            crate::common::soon(futures_util::future::join(computed, blocking)).await;
        // On Redis, either call may lead.
        assert!([1, 2].contains(&computed) && [1, 2].contains(&blocked));
        let again =
            tokio::task::spawn_blocking(move || cache.blocking().get_or_set("mixed", 60, || 3));
        assert_ne!(crate::common::soon(again).await.unwrap(), 3);
    })
    .await;
}

// The handle can't be shared with threads, kept in a static, or sent to a task.
#[test]
fn handles_and_futures_are_send_and_sync() {
    fn both<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn send<T: Send>(_: T) {}
    let cache: Cache = memory();
    both(&cache);
    both(&cache.blocking());
    send(cache.get::<u32>("a"));
    send(cache.set("a", &1, 60));
    send(cache.set_many([("a", 1)], 60));
    send(cache.get_many::<u32>(vec!["a"]));
    send(cache.delete_pattern("a"));
    send(cache.get_or_set("a", 60, || async { 1 }));
    send(cache.health_check());
    send(cache.scope(strict::load(1, "a", None)));
    send(strict::write(1));
}
