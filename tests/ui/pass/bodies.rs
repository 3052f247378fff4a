//! Bodies that a macro could break: macros, closures, labels, `select!`, recursion, boxed errors.
use cache_runtime::{Cache, cacheable, invalidate};
use std::error::Error;
use std::time::Duration;

#[cacheable(key = "formats:<<name>>")]
async fn formats(name: &str, width: usize) -> Result<String, Box<dyn Error + Send + Sync>> {
    let text = format!("{name:>width$}");
    let list = vec![name; 2];
    if matches!(list.as_slice(), [a, b] if a != b) {
        return Err("different".into());
    }
    let number: u64 = "12".parse()?;
    let text = tokio::select! {
        biased;
        _ = std::future::ready(()) => text,
        _ = tokio::time::sleep(Duration::from_secs(9)) => return Ok(String::new()),
    };
    let (a, b) = tokio::join!(async { number }, async { text.len() });
    assert_eq!(a, 12, "{b}");
    Ok(text)
}

#[cacheable(key = "loops:<<n>>")]
fn loops(n: u32) -> Option<u32> {
    let find = |wanted: u32| -> Option<u32> {
        if wanted == 0 {
            return None;
        }
        Some(wanted)
    };
    let found = 'outer: loop {
        for i in 0.. {
            if i * i >= n {
                break 'outer i;
            }
        }
    };
    let nested = || find(found)?.checked_sub(1);
    let Some(value) = nested() else {
        return None;
    };
    Some(value)
}

#[cacheable(key = "boxed:<<text>>")]
fn boxed_error(text: &str) -> Result<u32, Box<dyn Error>> {
    if text.is_empty() {
        Err("empty")?;
    }
    Ok(text.parse::<u32>()?)
}

#[cacheable(key = "sums:<<n>>")]
async fn sum(n: u64) -> u64 {
    if n == 0 {
        return 0;
    }
    n + Box::pin(sum(n - 1)).await
}

#[invalidate(patterns = ["tree:<<depth>>"])]
async fn descend(depth: u32) -> Result<u32, Box<dyn Error + Send + Sync>> {
    match depth {
        0 => Ok(0),
        _ => Ok(Box::pin(descend(depth - 1)).await? + 1),
    }
}

#[cacheable(key = "fact:<<n>>", companions = false)]
fn factorial(n: u64) -> u64 {
    if n < 2 { 1 } else { n * factorial(n - 1) }
}

#[cacheable(key = "items:<<id>>")]
async fn items_inside(id: u64) -> u64 {
    #[derive(Clone, Copy)]
    struct Local(u64);
    const STEP: u64 = 2;
    fn double(local: Local) -> u64 {
        local.0 * STEP
    }
    static SITE: u64 = 1;
    let lookup = double(Local(id));
    lookup + SITE
}

#[cacheable(key = "diverges:<<id>>")]
fn diverges(id: u64) -> u64 {
    if id == 1 {
        return 5;
    }
    unreachable!("only 1 is asked for")
}

#[cacheable]
async fn unit(id: u64) {
    if id == 0 {
        return;
    }
    std::future::ready(()).await
}

async fn check() -> Result<(), Box<dyn Error + Send + Sync>> {
    for _ in 0..2 {
        assert_eq!(formats("a", 3).await?, "  a");
        assert_eq!(loops(9), Some(2));
        assert_eq!(boxed_error("7").ok(), Some(7));
        assert_eq!(sum(4).await, 10);
        assert_eq!(factorial(5), 120);
        assert_eq!(items_inside(4).await, 9);
        assert_eq!(diverges(1), 5);
        unit(1).await;
    }
    assert_eq!(
        boxed_error("").map_err(|error| error.to_string()),
        Err("empty".to_owned())
    );
    assert_eq!(descend(3).await?, 3);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cache = Cache::builder().build().expect("a cache");
    cache.scope(check()).await.expect("no error");
    assert_eq!(cache.stats().hits, 8);
}
