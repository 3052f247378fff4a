use cache_runtime::cacheable;

#[cacheable(key = "squares:<<n>>")]
extern "C" fn square(n: u64) -> u64 {
    n * n
}

fn main() {
    let _ = square(2);
}
