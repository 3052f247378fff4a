use cache_runtime::invalidate;

#[invalidate(patterns = ["posts:<<id..>>"])]
fn write(id: u32) -> u32 {
    id
}

fn main() {
    let _ = write(1);
}
