//! A key whose path has several entries: one value can't replace all of them.

use cache_runtime::{cacheable, write_through};
use tests::on_both_stores;

#[cacheable(key = "varied:<<id>>", ttl = 60)]
async fn page(id: u32, page: u32) -> u32 {
    page
}

#[write_through(key = "varied:<<number>>", ttl = 60)]
async fn write(number: u32) -> u32 {
    number
}

#[cacheable(key = "typed:<<value>>", ttl = 60)]
async fn typed<T: Copy + std::fmt::Display + Into<u64>>(value: T) -> u64 {
    value.into()
}

#[write_through(key = "typed:<<value>>", ttl = 60)]
async fn write_typed(value: u64) -> u64 {
    value
}

#[tokio::test]
async fn all_entries_of_the_path_are_removed() {
    on_both_stores(|cache| async move {
        let runs = || cache.stats().misses;
        page(1, 1).await;
        page(1, 2).await;
        page(2, 1).await;
        typed(1_u8).await;
        typed(1_u32).await;
        assert_eq!(runs(), 5);
        write(1).await;
        write_typed(1).await;
        for key in ["varied:1", "typed:1"] {
            assert!(!cache.exists(key).await.unwrap());
        }
        page(2, 1).await;
        assert_eq!(runs(), 5);
        page(1, 1).await;
        page(1, 2).await;
        typed(1_u8).await;
        typed(1_u32).await;
        assert_eq!(runs(), 9);
    })
    .await;
}
