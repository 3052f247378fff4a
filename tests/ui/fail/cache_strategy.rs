//! The options of `#[derive(CacheStrategy)]`.

use cache_runtime::CacheStrategy;

#[derive(CacheStrategy)]
struct WithoutOptions {
    id: u32,
}

#[derive(CacheStrategy)]
#[cache(key = "a:<<id>>:<<nam>>", value = u32)]
struct UnknownField {
    id: u32,
    name: String,
}

#[derive(CacheStrategy)]
#[cache(key = "b:<<id>>", value = u32, ttl = preset("x"))]
struct Preset {
    id: u32,
}

#[derive(CacheStrategy)]
#[cache(key = "c:<<0>>", value = u32)]
struct Tuple(u32);

fn main() {}
