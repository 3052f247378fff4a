//! Prints the bytes per entry of one contender's store. The section of that name runs it.

use std::alloc::System;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use benchmarks::model::Post;
use benchmarks::peers::quick_cache::Indexed;
use benchmarks::peers::{cached, moka, ours, quick_cache};
use benchmarks::sections::memory_per_entry::{IN_MEMORY, slug};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (name, count) = (
        args.next(),
        args.next().and_then(|count| count.parse().ok()),
    );
    let (Some(name), Some(count)) = (name, count) else {
        eprintln!("usage: memory-per-entry <contender> <entries>; contenders: {IN_MEMORY:?}");
        return ExitCode::FAILURE;
    };
    match bytes(&name, count) {
        Some(bytes) => println!("{bytes}"),
        None => {
            eprintln!("there is no contender `{name}`; contenders: {IN_MEMORY:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn bytes(name: &str, count: usize) -> Option<f64> {
    let post = |id: usize| Arc::new(Post::of(&slug(id)));
    let key = |id: usize| format!("posts:{}", slug(id));
    let posts = 0..count;
    Some(match name {
        "values alone" => held(count, || {
            let mut values = Vec::with_capacity(count);
            values.extend(posts.map(post));
            // The `Arc` in this vector isn't part of the value.
            Weighed(values, count * size_of::<Arc<Post>>())
        }),
        "cache-runtime, with its index" => held(count, || {
            let cache = ours::memory();
            for id in posts {
                cache.scope_sync(|| drop(ours::shared(&slug(id))));
            }
            Weighed(cache, 0)
        }),
        "quick_cache" => held(count, || {
            let store = quick_cache::store(count * 2);
            posts.for_each(|id| store.insert(key(id), post(id)));
            Weighed(store, 0)
        }),
        "quick_cache and BTreeMap" => held(count, || {
            let store = Indexed::new(count * 2);
            posts.for_each(|id| store.insert(key(id), post(id)));
            Weighed(store, 0)
        }),
        "moka" => held(count, || {
            let store = moka::store(count * 2);
            posts.for_each(|id| store.insert(key(id), post(id)));
            store.run_pending_tasks();
            Weighed(store, 0)
        }),
        "cached, concurrent" => held(count, || {
            posts.for_each(|id| drop(cached::roomy(&slug(id))));
            Weighed((), 0)
        }),
        "cached, concurrent, unbounded" => held(count, || {
            posts.for_each(|id| drop(cached::unbounded(&slug(id))));
            Weighed((), 0)
        }),
        _ => return None,
    })
}

/// A filled store, and how many of its bytes don't count.
struct Weighed<T>(T, usize);

fn held<T>(count: usize, make: impl FnOnce() -> Weighed<T>) -> f64 {
    let region = Region::new(ALLOCATOR);
    let Weighed(made, beside) = make();
    // A block that grows in place counts as allocated, one that shrinks as freed.
    let change = region.change();
    black_box(&made);
    (change.bytes_allocated - change.bytes_deallocated - beside) as f64 / count as f64
}
