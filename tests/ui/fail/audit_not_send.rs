//! A body of a function with `audit` that isn't `Send`.

use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>", audit)]
async fn a(id: u32) -> u32 {
    let local = std::rc::Rc::new(id);
    std::future::ready(()).await;
    *local
}

fn main() {
    let _ = a(1);
}
