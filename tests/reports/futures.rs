//! The size that the attributes add to the callers' futures.

use std::mem::size_of_val;

use cache_runtime::{cacheable, invalidate};

use crate::common::memory;

#[cacheable(key = "size:0:<<bytes.len()>>")]
async fn level_0(bytes: [u8; 2048]) -> usize {
    std::future::ready(()).await;
    bytes.len()
}

#[cacheable(key = "size:1:<<bytes.len()>>")]
async fn level_1(bytes: [u8; 2048]) -> usize {
    level_0(bytes).await
}

#[cacheable(key = "size:2:<<bytes.len()>>")]
async fn level_2(bytes: [u8; 2048]) -> usize {
    level_1(bytes).await
}

#[cacheable(key = "size:3:<<bytes.len()>>")]
#[invalidate(patterns = ["other:<<bytes.len()>>"])]
async fn level_3(bytes: [u8; 2048]) -> usize {
    level_2(bytes).await
}

async fn plain_0(bytes: [u8; 2048]) -> usize {
    std::future::ready(()).await;
    bytes.len()
}

async fn plain_1(bytes: [u8; 2048]) -> usize {
    plain_0(bytes).await
}

async fn plain_2(bytes: [u8; 2048]) -> usize {
    plain_1(bytes).await
}

async fn plain_3(bytes: [u8; 2048]) -> usize {
    plain_2(bytes).await
}

#[invalidate(patterns = ["size:*"])]
async fn write_0(bytes: [u8; 2048]) -> usize {
    std::future::ready(()).await;
    bytes.len()
}

#[invalidate(patterns = ["size:*"])]
#[invalidate(patterns = ["other:*"], when = "always")]
async fn write_1(bytes: [u8; 2048]) -> usize {
    write_0(bytes).await
}

#[invalidate(patterns = ["size:*"])]
#[invalidate(patterns = ["other:*"], when = "before")]
async fn write_2(bytes: [u8; 2048]) -> usize {
    write_1(bytes).await
}

#[invalidate(patterns = ["size:*"])]
#[invalidate(patterns = ["other:*"])]
async fn write_3(bytes: [u8; 2048]) -> usize {
    write_2(bytes).await
}

// Each level of wrapped functions doubles the size of the future, until the stack overflows.
#[tokio::test]
async fn futures_of_nested_functions_grow_linearly() {
    let bytes = [0; 2048];
    let plain = size_of_val(&plain_3(bytes));
    let reads = [
        size_of_val(&level_0(bytes)),
        size_of_val(&level_1(bytes)),
        size_of_val(&level_2(bytes)),
        size_of_val(&level_3(bytes)),
    ];
    let writes = [
        size_of_val(&write_0(bytes)),
        size_of_val(&write_1(bytes)),
        size_of_val(&write_2(bytes)),
        size_of_val(&write_3(bytes)),
    ];
    println!("{plain} {reads:?} {writes:?}");
    for sizes in [reads, writes] {
        assert!(
            sizes[3] < 3 * plain,
            "{sizes:?} bytes, {plain} without the attributes"
        );
        let [first, last] = [sizes[1] - sizes[0], sizes[3] - sizes[2]];
        assert!(last < 2 * first, "each level adds the same: {sizes:?}");
    }
    let cache = memory();
    assert_eq!(cache.scope(level_3(bytes)).await, 2048);
    assert_eq!(cache.scope(write_3(bytes)).await, 2048);
    assert_eq!(cache.stats().invalidated, 4);
}
