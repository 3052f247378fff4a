//! The arguments could go to the background, and the body can not.

use std::rc::Rc;

use cache_runtime::cacheable;

#[cacheable(key = "rows:<<id>>", stale = "1m")]
async fn rows(id: u32) -> u32 {
    let held = Rc::new(id);
    std::future::ready(()).await;
    *held
}

fn main() {}
