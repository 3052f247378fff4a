use cache_runtime::CacheModel;
use std::fmt;

struct Timestamp(u64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(CacheModel)]
#[cache(table = "stats", patterns = ["stats:<<rating>>", "stats:<<at>>:*", "stats:<<id>>"])]
struct Stat {
    id: i64,
    rating: Option<f64>,
    at: Timestamp,
    unused: f64,
}

struct Plain;

fn takes(model: impl CacheModel) {
    let _ = model;
}

fn main() {
    takes(Plain);
}
