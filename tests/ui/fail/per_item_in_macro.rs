use cache_runtime::{key, pattern};

fn main() {
    let ids = [1, 2];
    let _ = pattern!("posts:<<ids..>>:*");
    let _ = key!("posts:{{ids..}}");
}
