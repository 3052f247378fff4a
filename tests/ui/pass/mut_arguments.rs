//! `mut` arguments, and bodies that consume what the key uses.
use cache_runtime::{cacheable, invalidate};

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

fn main() {}
