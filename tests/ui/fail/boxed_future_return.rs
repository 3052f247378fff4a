use cache_runtime::invalidate;
use std::pin::Pin;

fn make() -> Pin<Box<dyn Future<Output = u32>>> {
    Box::pin(async { 1 })
}

#[invalidate(patterns = ["posts:<<id>>"])]
fn update_post(id: u32) -> Pin<Box<dyn Future<Output = u32>>> {
    let _ = id;
    make()
}

fn main() {
    let _ = update_post(1);
}
