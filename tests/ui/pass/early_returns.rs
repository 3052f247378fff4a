//! `return` and `?` in the body mean what they mean without the attribute.
use cache_runtime::{Cache, cacheable, invalidate};

#[cacheable(key = "numbers:<<text>>")]
async fn parse(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text.parse::<u32>()?;
    std::future::ready(()).await;
    Ok(number)
}

#[cacheable(key = "numbers:<<text>>")]
fn first(text: &str) -> Option<char> {
    let c = text.chars().next()?;
    if c == 'x' {
        return None;
    }
    Some(c)
}

#[invalidate(patterns = ["numbers:<<text>>"])]
fn write(text: String) -> Result<u32, std::num::ParseIntError> {
    let number = text.parse::<u32>()?;
    if number == 0 {
        return Ok(1);
    }
    'outer: loop {
        for i in 0.. {
            if i > number {
                break 'outer;
            }
        }
    }
    Ok(number)
}

#[invalidate(patterns = ["numbers:*"])]
async fn nothing(stop: bool) {
    if stop {
        return;
    }
    std::future::ready(()).await
}

#[invalidate(patterns = ["numbers:*"])]
async fn panics() -> u32 {
    panic!("no value")
}

async fn check() {
    for _ in 0..2 {
        assert_eq!(parse("").await.ok(), Some(0));
        assert_eq!(parse("7").await.ok(), Some(7));
        assert!(parse("x").await.is_err());
        assert_eq!(
            (first("ab"), first("x"), first("")),
            (Some('a'), None, None)
        );
    }
    assert!(write("x".to_owned()).is_err());
    assert_eq!(write("0".to_owned()), Ok(1));
    nothing(true).await;
    assert_eq!(tokio::spawn(panics()).await.is_err(), true);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await;
    assert_eq!(cache.stats().hits, 3);
}
