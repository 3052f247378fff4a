//! The cached values, and the order in which they are read.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The number of entries in each store while hits are measured.
pub const ENTRIES: usize = 10_000;

/// The capacity of every store: large enough that no store evicts.
pub const ROOM: usize = 20_000;

/// The TTL in seconds where a contender has TTLs: longer than a run.
pub const LIFETIME: u64 = 3_600;

/// A blog post of about 1 KB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, hitbox_fn::CacheableResponse)]
pub struct Post {
    pub id: u64,
    pub slug: String,
    pub title: String,
    pub body: String,
    pub tags: Vec<String>,
}

impl Post {
    /// Build the post of this slug: always the same one.
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

/// An argument that no template names, so that it is hashed into the key.
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

/// The keys of all entries, prebuilt for bare `quick_cache`.
pub static READY: LazyLock<Vec<String>> =
    LazyLock::new(|| SLUGS.iter().map(|slug| format!("posts:{slug}")).collect());

/// One struct to hash for each entry.
pub static FILTERS: LazyLock<Vec<Filters>> = LazyLock::new(|| {
    let filters = |id: usize| Filters {
        author: format!("author-{}", id % 100),
        topic: "databases".to_owned(),
        page: (id / 100) as u32,
        newest_first: true,
    };
    (0..ENTRIES).map(filters).collect()
});

/// A cheap generator of pseudorandom numbers (xorshift64*): the same sequence in every run.
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

    /// Return `count` random entry numbers.
    pub fn keys(&mut self, count: usize) -> Vec<usize> {
        (0..count).map(|_| self.next_below(ENTRIES)).collect()
    }

    /// Return each entry number once, in random order (Fisher and Yates).
    pub fn each_key(&mut self) -> Vec<usize> {
        let mut keys: Vec<usize> = (0..ENTRIES).collect();
        (1..ENTRIES).for_each(|at| keys.swap(at, self.next_below(at + 1)));
        keys
    }
}
