//! [`CacheModel`]: the entries that are stale once a row of a table has changed, and the facts from
//! which a database's triggers are made.

mod column;

pub use column::{Column, ColumnKind};

/// A row of a table that knows the cache entries which depend on it.
///
/// Derive it on any struct with named fields. A placeholder of a pattern is the name of a field:
///
/// ```
/// use cache_runtime::CacheModel;
///
/// #[derive(CacheModel)]
/// #[cache(table = "posts", patterns = ["posts:<<slug>>:*", "posts:list:*", "profiles:<<author_id>>:*"])]
/// struct Post {
///     slug: String,
///     author_id: Option<i64>,
///     title: String,
/// }
///
/// let post = Post { slug: "a:b".to_owned(), author_id: None, title: "A title".to_owned() };
/// assert_eq!(
///     post.cache_patterns(),
///     ["posts:a%3Ab:*", "posts:list:*", "profiles:%none:*"],
/// );
/// ```
///
/// The patterns are part of [`topology`](crate::topology), as those of a function with
/// `#[invalidate]`, under the name of the struct: one that can match nothing is a dead pattern.
/// `cache_sql::triggers` turns a model into triggers of a database, which catch the writes that
/// don't pass through this program.
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't a model",
    label = "this type names no cache entries that depend on it",
    note = "add `#[derive(cache_runtime::CacheModel)]` and `#[cache(table = \"..\", patterns = [..])]` to the struct"
)]
pub trait CacheModel {
    /// The table and the patterns, as the derive read them.
    const MODEL: ModelInfo;

    /// Return the patterns of the entries that depend on this row, with its values escaped, in the
    /// order in which they are written.
    ///
    /// The derive also makes a method of this name on the struct, which needs no import.
    ///
    /// ```
    /// use cache_runtime::{Cache, CacheModel};
    ///
    /// #[derive(CacheModel)]
    /// #[cache(table = "posts", patterns = ["posts:<<id>>:*"])]
    /// struct Post {
    ///     id: i64,
    /// }
    ///
    /// fn forget(cache: &Cache, changed: &impl CacheModel) -> Result<(), cache_runtime::CacheError> {
    ///     for pattern in changed.cache_patterns() {
    ///         cache.blocking().delete_pattern(&pattern)?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set("posts:7", &1, 60)?;
    /// forget(&cache, &Post { id: 7 })?;
    /// assert_eq!(cache.blocking().get::<i32>("posts:7")?, None);
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    fn cache_patterns(&self) -> Vec<String>;
}

/// The static facts of a model.
///
/// ```
/// use cache_runtime::CacheModel;
/// use cache_runtime::model::PatternPart;
///
/// #[derive(CacheModel)]
/// #[cache(table = "posts", patterns = ["posts:<<slug>>"])]
/// struct Post {
///     #[cache(column = "post_slug")]
///     slug: String,
/// }
///
/// let model = Post::MODEL;
/// assert_eq!((model.name, model.table), ("Post", "posts"));
/// assert!(matches!(
///     model.patterns[0].parts,
///     [PatternPart::Text("posts:"), PatternPart::Column { name: "post_slug", .. }],
/// ));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ModelInfo {
    /// The name of the struct.
    pub name: &'static str,
    /// The name of the table, `posts` or `schema.posts`.
    pub table: &'static str,
    /// The patterns, in the order in which they are written.
    pub patterns: &'static [ModelPattern],
}

/// A pattern of a model.
#[derive(Clone, Copy, Debug)]
pub struct ModelPattern {
    /// The pattern as written.
    pub written: &'static str,
    /// Its text and its columns, in order.
    pub parts: &'static [PatternPart],
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum PatternPart {
    /// Text of the literal, wildcards included.
    Text(&'static str),
    /// The escaped value of a column; `%none` if it is `NULL`.
    Column {
        /// The name of the column.
        name: &'static str,
        /// The text that its values have.
        kind: ColumnKind,
    },
}
