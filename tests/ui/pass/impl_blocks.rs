//! Generic `impl` blocks, `where Self: Sized`, const parameters, `async fn` in traits: each instance has entries of its own.
use cache_runtime::{Cache, cacheable, invalidate};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Display;
use std::marker::PhantomData;

trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    fn make() -> Self;
}
impl Row for u8 {
    fn make() -> Self {
        1
    }
}
impl Row for String {
    fn make() -> Self {
        "row".to_owned()
    }
}

struct Table<T, const N: usize>(PhantomData<T>);

impl<T: Row, const N: usize> Table<T, N>
where
    T: PartialEq,
{
    #[cacheable(key = "rows:<<id>>")]
    pub(crate) async fn row(&self, id: u64) -> Option<T>
    where
        Self: Sized,
    {
        Some(T::make()).filter(|_| id > 0)
    }

    #[cacheable(key = "sizes:<<N>>", companions)]
    pub(crate) fn size<K: Display>(key: &K) -> usize
    where
        K: Serialize + ?Sized,
    {
        N + key.to_string().len()
    }

    #[cacheable(companions)]
    async fn plain() -> usize {
        N
    }

    #[invalidate(patterns = ["rows:<<id>>"])]
    async fn forget(&mut self, id: u64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        id.to_string().parse::<u64>()?;
        Ok(())
    }
}

trait Find {
    const KIND: &'static str;
    async fn find(&self, id: u64) -> String;

    #[cacheable(key = "found:<<Self::KIND>>:<<id>>", skip(self))]
    async fn by_default(&self, id: u64) -> String
    where
        Self: Sized + Sync,
    {
        format!("{}{id}", Self::KIND)
    }
}

impl Find for Table<u8, 1> {
    const KIND: &'static str = "one";
    #[cacheable(key = "finds:<<Self::KIND>>:<<id>>")]
    async fn find(&self, id: u64) -> String {
        id.to_string()
    }
}

impl Find for Table<u8, 2> {
    const KIND: &'static str = "two";
    #[cacheable(key = "finds:<<Self::KIND>>:<<id>>")]
    async fn find(&self, id: u64) -> String {
        (id + 1).to_string()
    }
}

fn table<T, const N: usize>() -> Table<T, N> {
    Table(PhantomData)
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(table::<u8, 1>().row(1).await, Some(1));
        assert_eq!(table::<String, 1>().row(1).await.as_deref(), Some("row"));
        assert_eq!(Table::<u8, 1>::size("ab"), 3);
        assert_eq!(Table::<u8, 2>::size("ab"), 4);
        assert_eq!(Table::<u8, 3>::plain().await, 3);
        assert_eq!(Table::<u8, 4>::plain().await, 4);
        assert_eq!(table::<u8, 1>().find(1).await, "1");
        assert_eq!(table::<u8, 2>().find(1).await, "2");
        assert_eq!(table::<u8, 1>().by_default(1).await, "one1");
        assert_eq!(table::<u8, 2>().by_default(1).await, "two1");
    }
    assert!(Table::<u8, 1>::size_invalidate("ab").expect("a cache in memory"));
    assert!(
        Table::<u8, 3>::plain_invalidate()
            .await
            .expect("a cache in memory")
    );
    assert_ne!(
        Table::<u8, 1>::size_cache_key("ab"),
        Table::<u8, 2>::size_cache_key("cd")
    );
    assert!(table::<u8, 1>().forget(1).await.is_ok());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 10);
    // Both instances of `row`.
    assert_eq!(cache.stats().invalidated, 4);
}
