use cache_runtime::CacheKey;
use serde::Serialize;
use std::collections::HashSet;

struct Db;

#[derive(Serialize)]
struct SecretString(String);

#[derive(Serialize, PartialEq, Eq, Hash)]
struct Tag(String);

#[derive(CacheKey)]
struct Unhashable {
    id: u32,
    db: Db,
    secret: Option<SecretString>,
    tags: HashSet<Tag>,
}

#[derive(CacheKey)]
struct Tuple(u32, Db);

#[derive(CacheKey)]
enum Variants {
    One { db: Db },
    #[cache_key(skip)]
    Two(#[cache_key(skip, skip)] u32),
    Three(#[cache_key(skipped)] u32, #[cache_key(crate = other)] u32, #[cache_key] u32),
}

#[derive(CacheKey)]
union Either {
    a: u32,
    b: f32,
}

fn main() {}
