//! Two write-throughs of one key at a time.

use tests::{Gate, begin, on_both_stores};

use super::{Source, number, write, write_then_wait};

/// Begin two writes, and end them in this order. Return the value that is cached afterwards.
async fn contest(cache: &cache_runtime::Cache, first_ends_first: bool) -> Option<u32> {
    let source = Source::default();
    let gates = [Gate::new(), Gate::new()];
    let mut writers = Vec::new();
    for (at, gate) in gates.iter().enumerate() {
        let writing = {
            let (source, gate) = (source.clone(), gate.clone());
            async move { write_then_wait(source, &gate, 1, at as u32 + 1).await }
        };
        writers.push(begin(cache, writing).await);
        gate.reached_by(1).await;
    }
    let (mut second, mut first) = (writers.pop().unwrap(), writers.pop().unwrap());
    let [mut first_gate, mut second_gate] = gates;
    if !first_ends_first {
        std::mem::swap(&mut first, &mut second);
        std::mem::swap(&mut first_gate, &mut second_gate);
    }
    first_gate.open();
    first.await.unwrap().unwrap();
    assert!(!cache.exists("numbers:1").await.unwrap());
    second_gate.open();
    second.await.unwrap().unwrap();
    let left = cache.get("numbers:1").await.unwrap();
    assert_eq!(cache.scope(number(&source, 1)).await, 2);
    left
}

#[tokio::test]
async fn neither_of_two_writers_stores_its_value() {
    on_both_stores(|cache| async move {
        for first_ends_first in [true, false] {
            cache.delete("numbers:1").await.unwrap();
            assert_eq!(contest(&cache, first_ends_first).await, None);
        }
        // The next write is not contested any more.
        let source = Source::default();
        cache.scope(write(&source, 1, 9)).await.unwrap();
        assert_eq!(cache.get("numbers:1").await.unwrap(), Some(9_u32));
    })
    .await;
}

#[tokio::test]
async fn a_write_that_begins_after_the_first_of_two_has_ended_is_invalidated_by_the_second() {
    on_both_stores(|cache| async move {
        let source = Source::default();
        let gates = [Gate::new(), Gate::new()];
        let mut writers = Vec::new();
        for (at, gate) in gates.iter().enumerate() {
            let writing = {
                let (source, gate) = (source.clone(), gate.clone());
                async move { write_then_wait(source, &gate, 1, at as u32).await }
            };
            writers.push(begin(&cache, writing).await);
            gate.reached_by(1).await;
        }
        let (second, first) = (writers.pop().unwrap(), writers.pop().unwrap());
        gates[0].open();
        first.await.unwrap().unwrap();
        cache.scope(write(&source, 1, 7)).await.unwrap();
        assert_eq!(cache.get("numbers:1").await.unwrap(), Some(7_u32));
        gates[1].open();
        second.await.unwrap().unwrap();
        assert_eq!(cache.get::<u32>("numbers:1").await.unwrap(), None);
    })
    .await;
}
