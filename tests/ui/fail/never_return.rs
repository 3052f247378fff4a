use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:*"])]
fn stop() -> ! {
    loop {}
}

fn main() {
    let _ = stop as fn() -> !;
}
