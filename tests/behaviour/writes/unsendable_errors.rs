//! Writes whose error isn't `Send`. Their futures are `Send`, so servers can spawn them.

use std::error::Error;
use std::rc::Rc;

use cache_runtime::{cacheable, invalidate};
use tests::on_both_stores;

type Boxed<T> = Result<T, Box<dyn Error>>;

#[cacheable(key = "users:<<id>>", cache_none)]
async fn user(id: u32) -> Option<u32> {
    Some(id)
}

#[invalidate(patterns = ["users:<<id>>", "users:<<result>>"])]
async fn rename(id: u32) -> Boxed<u32> {
    std::future::ready(()).await;
    if id == 0 {
        return Err("nobody".into());
    }
    Ok(id + 1)
}

#[invalidate(patterns = ["users:<<id>>"], when = "before")]
async fn rename_before(id: u32) -> Boxed<Option<u32>> {
    if id == 0 {
        return Err("nobody".into());
    }
    Ok(None)
}

#[invalidate(patterns = ["users:<<id>>"])]
#[invalidate(patterns = ["users:<<result>>"])]
async fn rename_twice(id: u32) -> Result<Option<u32>, Rc<str>> {
    if id == 0 {
        return Err("nobody".into());
    }
    Ok(Some(id + 1))
}

/// Run the write in its own task, and check there what it returns, which isn't `Send`.
async fn in_a_task(
    cache: &cache_runtime::Cache,
    write: impl Future<Output = Option<u32>> + Send + 'static,
) -> Option<u32> {
    tokio::spawn(cache.scope(write)).await.unwrap()
}

#[tokio::test]
async fn a_write_with_an_error_that_is_not_send_can_be_spawned() {
    on_both_stores(|cache| async move {
        for id in [1, 2, 5, 6, 8, 9] {
            user(id).await;
        }
        let renamed = in_a_task(&cache, async { rename(1).await.ok() }).await;
        assert_eq!(renamed, Some(2));
        let before = in_a_task(&cache, async { rename_before(5).await.ok().flatten() }).await;
        assert_eq!(before, None);
        let twice = in_a_task(&cache, async { rename_twice(8).await.ok().flatten() }).await;
        assert_eq!(twice, Some(9));
        let mut left = Vec::new();
        for id in [1, 2, 5, 6, 8, 9] {
            if cache.exists(&format!("users:{id}")).await.unwrap() {
                left.push(id);
            }
        }
        assert_eq!(left, [6]);
    })
    .await;
}

#[tokio::test]
async fn a_write_that_fails_with_an_error_that_is_not_send_invalidates_nothing() {
    on_both_stores(|cache| async move {
        user(0).await;
        let error = in_a_task(&cache, async {
            let error = rename(0).await.unwrap_err();
            Some(error.to_string().len() as u32)
        });
        assert_eq!(error.await, Some(6));
        assert_eq!(rename_twice(0).await.unwrap_err().as_ref(), "nobody");
        assert!(cache.exists("users:0").await.unwrap());
    })
    .await;
}
