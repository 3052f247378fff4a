use cache_runtime::{invalidate, write_through};

// The other two patterns match other keys, or match this one by chance only.
#[write_through(key = "rooms:<<id>>:messages")]
#[invalidate(patterns = ["rooms:<<id>>:*", "rooms:<<id>>:unread", "rooms:<<other>>:messages"])]
fn move_message(id: u32, other: u32) -> u32 {
    id + other
}

fn main() {
    let _ = move_message(1, 2);
}
