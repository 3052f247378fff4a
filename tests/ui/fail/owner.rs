//! The owner of an entry.

use cache_runtime::cacheable;

struct Token;

#[cacheable(key = "reports:<<user>>", owner = "<<user>>")]
fn in_quotes(user: u64) -> u64 {
    user
}

#[cacheable(key = "reports:<<id>>", each = ids, owner = user)]
fn of_each(user: u64, ids: &[u64]) -> Vec<u64> {
    vec![user; ids.len()]
}

#[cacheable(key = "reports", owner = token)]
fn without_text(token: Token) -> u64 {
    drop(token);
    1
}

#[cacheable(key = "reports", user = user)]
fn by_another_name(user: u64) -> u64 {
    user
}

#[cacheable(key = "reports", owner)]
fn without_value(user: u64) -> u64 {
    user
}

fn main() {}
