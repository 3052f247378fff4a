use cache_runtime::invalidate;

struct Id;

#[invalidate(patterns = ["posts:<<ids..>>"])]
fn write(ids: &[Id]) -> usize {
    ids.len()
}

fn main() {
    let _ = write(&[Id]);
}
