//! `mut` arguments, and bodies that consume what the key uses.
use cache_runtime::{Cache, cacheable, invalidate};

#[cacheable(key = "names:<<name>>")]
async fn shout(mut name: String) -> String {
    name.make_ascii_uppercase();
    name
}

#[cacheable(key = "sums:<<values.len()>>")]
fn sum(mut values: Vec<u32>) -> u32 {
    values.sort_unstable();
    values.into_iter().sum()
}

#[invalidate(patterns = ["names:<<name>>", "names:<<result>>"])]
async fn rename(mut name: String) -> Result<String, std::io::Error> {
    name.push('!');
    std::fs::metadata(&name)?;
    Ok(name)
}

#[cacheable(key = "filled:<<buffer.len()>>")]
fn fill(buffer: &mut Vec<u8>) -> usize {
    buffer.push(1);
    buffer.len()
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(shout("a".to_owned()).await, "A");
        assert_eq!(sum(vec![2, 1]), 3);
        let mut buffer = vec![];
        // A hit runs no body: what the body does besides is not done.
        fill(&mut buffer);
        assert!(buffer.len() < 2);
    }
    assert!(rename("no such file".to_owned()).await.is_err());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 3);
}
