#[cacheable(
    key = "sum:{{a}}:{{b.unwrap_or(1)}}",
    ttl = "1h30m",
    condition = a > 0,
    unless = |sum| *sum == 0,
    cache_none,
    version = 2,
    debug,
    companions = false,
)]
fn sum(a: u32, b: Option<u32>) -> u32 {
    #![allow(clippy::let_and_return)]
    let sum = a + b.unwrap_or(1);
    sum
}
