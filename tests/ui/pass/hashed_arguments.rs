//! Whatever serde can serialize is hashed, by reference too.
use cache_runtime::cacheable;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Serialize)]
struct Filter<'a> {
    tags: BTreeSet<&'a str>,
    limits: HashMap<String, u32>,
}

#[cacheable]
async fn list(
    filter: Filter<'_>,
    by_reference: &Filter<'_>,
    sizes: &[u32],
    text: &str,
    maybe: Option<BTreeMap<u8, char>>,
    pair: (u8, String),
) -> usize {
    let _ = (by_reference, maybe, pair);
    filter.tags.len() + filter.limits.len() + sizes.len() + text.len()
}

#[cacheable(key = "generic:<<id>>")]
async fn generic<F: Serialize + Sync>(id: u64, filter: &F) -> u64 {
    let _ = filter;
    id
}

fn main() {}
