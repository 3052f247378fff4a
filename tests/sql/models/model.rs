//! The model of the tests, with a column of each kind.

use cache_runtime::CacheModel;
use uuid::Uuid;

#[derive(CacheModel, Clone, Debug)]
#[cache(table = "posts", patterns = [
    "posts:<<slug>>:*",
    "posts:list:*",
    r"it's\*<<author>>-<<is_new>>",
    "<<token>>:<<slug>>?",
])]
pub(crate) struct Post {
    pub(crate) id: i64,
    #[cache(column = "post_slug")]
    pub(crate) slug: String,
    pub(crate) author: Option<i64>,
    pub(crate) is_new: bool,
    pub(crate) token: Uuid,
}

impl Post {
    pub(crate) fn new(id: i64, slug: &str) -> Self {
        Self {
            id,
            slug: slug.to_owned(),
            author: Some(-id),
            is_new: id % 2 == 0,
            token: Uuid::from_u128(0xABCD << 64 | u128::from(id.unsigned_abs())),
        }
    }
}

/// The patterns of some rows, in the form in which the tests read the outbox.
pub(crate) fn patterns<'p>(posts: impl IntoIterator<Item = &'p Post>) -> Vec<String> {
    let posts = posts.into_iter();
    let mut patterns: Vec<String> = posts.flat_map(Post::cache_patterns).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns
}
