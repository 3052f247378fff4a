//! `return` and `?` in the body mean what they mean without the attribute.
use cache_runtime::{cacheable, invalidate};

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

fn main() {}
