//! Models: placeholders, columns, generics, and names that a macro could confuse.

#![deny(warnings, missing_docs)]

use cache_runtime::model::{Column, ColumnKind, PatternPart};
use cache_runtime::{CacheModel, cacheable, topology};
use std::borrow::Cow;
use std::fmt::{self, Display};

/// A row.
#[derive(CacheModel)]
#[cache(table = "app.posts")]
#[cache(patterns = ["posts:<<slug>>:*", "posts:list:*", "profiles:{{author_id}}:*", "flags:<<r#type>>:<<is_new>>"])]
pub struct Post {
    /// A text.
    pub slug: String,
    /// A reference.
    pub author_id: Option<i64>,
    /// A keyword.
    pub r#type: u8,
    /// A flag.
    #[cache(column = "new")]
    pub is_new: bool,
    /// Not in a pattern.
    pub rating: f64,
}

/// A borrowed row of any key.
#[derive(CacheModel)]
#[cache(table = "posts", patterns = ["posts:<<slug>>-<<id>>"])]
struct Borrowed<'a, T>
where
    T: Display,
{
    slug: Cow<'a, str>,
    id: Option<T>,
}

struct Id(i64);

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Column for Id {
    const KIND: ColumnKind = ColumnKind::Integer;
}

#[cacheable(key = "posts:<<slug>>")]
fn length(slug: &str) -> usize {
    slug.len()
}

mod other {
    use cache_runtime as cache;

    /// The method needs no import of the trait.
    #[derive(cache::CacheModel)]
    #[cache(table = "posts", patterns = ["nothing:<<w>>"], crate = cache)]
    pub(super) struct Post {
        pub(super) w: u32,
    }
}

fn patterns(model: &impl CacheModel) -> Vec<String> {
    model.cache_patterns()
}

fn main() {
    let post = Post {
        slug: "a:b*".to_owned(),
        author_id: None,
        r#type: 3,
        is_new: true,
        rating: 0.5,
    };
    let expected = ["posts:a%3Ab%2A:*", "posts:list:*", "profiles:%none:*", "flags:3:true"];
    assert_eq!(post.cache_patterns(), expected);
    assert_eq!(Post::cache_patterns(&post), expected);
    assert_eq!(patterns(&post), expected);
    assert!(post.rating > 0.0);
    assert_eq!(Post::MODEL.table, "app.posts");
    assert!(matches!(
        Post::MODEL.patterns[3].parts,
        [
            PatternPart::Text("flags:"),
            PatternPart::Column { name: "type", kind: ColumnKind::Integer },
            PatternPart::Text(":"),
            PatternPart::Column { name: "new", kind: ColumnKind::Bool },
        ]
    ));
    let borrowed = Borrowed { slug: "x".into(), id: Some(Id(-1)) };
    assert_eq!(patterns(&borrowed), ["posts:x--1"]);
    assert_eq!(other::Post { w: 7 }.cache_patterns(), ["nothing:7"]);
    assert_eq!(length("x"), 1);

    let topology = topology();
    let writes: Vec<&str> = topology.writes.iter().map(|write| write.function).collect();
    assert_eq!(writes, ["Post", "Borrowed", "Post"]);
    let dead: Vec<&str> = topology.dead_patterns().iter().map(|dead| dead.pattern).collect();
    assert!(dead.contains(&"nothing:<<w>>") && !dead.contains(&"posts:<<slug>>:*"), "{dead:?}");
    let names: Vec<&str> = topology.never_invalidated().iter().map(|read| read.function).collect();
    assert!(names.is_empty(), "{names:?}");
}
