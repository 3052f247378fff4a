use cache_runtime::cacheable;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

// Its order can't be known: it has no `CacheKey`.
#[derive(Serialize, PartialEq, Eq, Hash)]
struct Tag(String);

#[cacheable(key = "posts")]
fn by_tags(tags: &HashSet<Tag>) -> usize {
    tags.len()
}

#[cacheable]
async fn by_tags_of_topics(tags: HashMap<u32, Vec<HashSet<Tag>>>) -> usize {
    tags.len()
}

fn main() {}
