//! Lifetimes, generics, const generics and where clauses.
use cache_runtime::{cacheable, invalidate};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Display;

trait Row: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    const TABLE: &'static str;
    fn make() -> Self;
}

#[cacheable(key = "rows:<<T::TABLE>>:<<id>>")]
async fn row<T: Row>(id: u64) -> T {
    let _ = id;
    T::make()
}

#[cacheable(key = "keys:<<key>>", skip(other))]
async fn by_key<'a, 'b: 'a, K, V>(key: &'a K, other: &'b V) -> Result<String, std::fmt::Error>
where
    K: Display + Sync + ?Sized,
    V: Sync,
{
    let _ = other;
    Ok(key.to_string())
}

#[cacheable(key = "sized:<<N>>:<<text>>")]
fn sized<const N: usize>(text: &str, bytes: [u8; N]) -> Vec<u8>
where
    [u8; N]: Serialize,
{
    let _ = text;
    bytes.to_vec()
}

#[invalidate(patterns = ["rows:<<T::TABLE>>:<<id>>", "keys:<<result.0>>"])]
async fn write<'a, T: Row>(id: &'a u64) -> Result<(u64, T), String> {
    Ok((*id, T::make()))
}

#[invalidate(patterns = ["keys:<<text>>"])]
fn borrowed(text: &str) -> &str {
    text
}

#[invalidate(patterns = ["keys:<<text>>"])]
async fn borrowed_async<'a>(text: &'a str, _other: &str) -> &'a str {
    text
}

struct Wrapper<T>(T);

impl<T: Row> Wrapper<T> {
    #[cacheable(key = "wrapped:<<id>>", skip(self))]
    async fn get(&self, id: u64) -> T {
        let _ = id;
        self.0.clone()
    }
}

fn main() {}
