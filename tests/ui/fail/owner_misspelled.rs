//! An owner that is no argument.

use cache_runtime::cacheable;

#[cacheable(key = "reports:<<user>>", owner = usr)]
fn misspelled(user: u64) -> u64 {
    user
}

fn main() {}
