//! What is cached, and in which order it is asked for.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// How many entries the stores hold while hits are measured.
pub const ENTRIES: usize = 10_000;

/// Room for all of them in every store, so that nobody evicts.
pub const ROOM: usize = 20_000;

/// How long entries live where a contender has lifetimes, in seconds: longer than a run.
pub const LIFETIME: u64 = 3_600;

/// About 1 KB: what a blog's page is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, hitbox_fn::CacheableResponse)]
pub struct Post {
    pub id: u64,
    pub slug: String,
    pub title: String,
    pub body: String,
    pub tags: Vec<String>,
}

impl Post {
    /// The post of this slug: the same one whenever it is asked for.
    pub fn of(slug: &str) -> Self {
        Self {
            id: slug
                .bytes()
                .fold(0, |id, byte| id * 31 % 1_000_003 + u64::from(byte)),
            slug: slug.to_owned(),
            title: format!("The post called {slug}"),
            body: "x".repeat(1_000),
            tags: ["rust", "caching", "databases"].map(str::to_owned).to_vec(),
        }
    }
}

/// An argument that is hashed into the key: no template names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filters {
    pub author: String,
    pub topic: String,
    pub page: u32,
    pub newest_first: bool,
}

/// The slugs of all entries.
pub static SLUGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..ENTRIES)
        .map(|id| format!("a-post-of-{id:05}"))
        .collect()
});

/// The same, as bare `quick_cache` is given them: ready.
pub static READY: LazyLock<Vec<String>> =
    LazyLock::new(|| SLUGS.iter().map(|slug| format!("posts:{slug}")).collect());

/// One value to hash for each entry.
pub static FILTERS: LazyLock<Vec<Filters>> = LazyLock::new(|| {
    let filters = |id: usize| Filters {
        author: format!("author-{}", id % 100),
        topic: "databases".to_owned(),
        page: (id / 100) as u32,
        newest_first: true,
    };
    (0..ENTRIES).map(filters).collect()
});

/// A cheap generator (xorshift64*): the same sequence in every run.
#[derive(Debug)]
pub struct Sequence(u64);

impl Sequence {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next_below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % limit
    }

    /// So many numbers of entries.
    pub fn keys(&mut self, count: usize) -> Vec<usize> {
        (0..count).map(|_| self.next_below(ENTRIES)).collect()
    }

    /// Each entry once, in any order (Fisher and Yates).
    pub fn each_key(&mut self) -> Vec<usize> {
        let mut keys: Vec<usize> = (0..ENTRIES).collect();
        (1..ENTRIES).for_each(|at| keys.swap(at, self.next_below(at + 1)));
        keys
    }
}
