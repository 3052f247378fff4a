//! The names in `context`.

use cache_runtime::{cacheable, invalidate};

#[cacheable(key = "profiles:<<user_id>>", context(user_id))]
fn of_an_argument(user_id: u64) -> u64 {
    user_id
}

#[cacheable(key = "profiles:<<user_id>>", context(user_id, user_id))]
fn twice() -> u64 {
    1
}

#[cacheable(key = "profiles", context(result))]
fn of_the_result() -> u64 {
    1
}

#[cacheable(key = "profiles:<<user_id>>", context = user_id)]
fn without_parentheses() -> u64 {
    1
}

#[cacheable(key = "profiles:<<user_id>>")]
fn unnamed() -> u64 {
    1
}

#[invalidate(patterns = ["profiles:<<user_id.chars()..>>"], context(user_id))]
fn many() {}

#[cacheable(key = "profiles:<<user_id.no_such_method()>>", context(user_id))]
fn of_another_type() -> u64 {
    1
}

fn main() {}
