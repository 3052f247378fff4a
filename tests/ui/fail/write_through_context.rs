//! The names in the `context` of a write-through.

use cache_runtime::write_through;

#[write_through(key = "profiles:<<user_id>>", context(user_id))]
fn of_an_argument(user_id: u64) -> u64 {
    user_id
}

#[write_through(key = "profiles:<<user_id>>", context(user_id, user_id))]
fn twice() -> u64 {
    1
}

#[write_through(key = "profiles:<<user_id>>", context = user_id)]
fn without_parentheses() -> u64 {
    1
}

#[write_through(key = "profiles:<<user_id>>")]
fn unnamed() -> u64 {
    1
}

#[write_through(key = "profiles:<<user_id.no_such_method()>>", context(user_id))]
fn of_another_type() -> u64 {
    1
}

fn main() {}
