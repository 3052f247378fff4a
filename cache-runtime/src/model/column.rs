//! Types of columns whose text is the same in Rust and in SQL.

use std::borrow::Cow;
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;

/// A type that a placeholder of a [`CacheModel`](crate::CacheModel) takes: a trigger in the database
/// can write its values as Rust's `Display` does.
///
/// Strings, integers, `bool`, `Uuid` (feature `uuid`) and references, pointers and `Option`s of
/// them have it. A float or a timestamp doesn't: its text depends on the database and its settings.
/// Leave such a column out of the patterns, `stats:*` instead of `stats:<<day>>:*`.
///
/// A type of your own has it by one line, if its `Display` writes the text of the column:
///
/// ```
/// use cache_runtime::CacheModel;
/// use cache_runtime::model::{Column, ColumnKind};
/// use std::fmt;
///
/// struct PostId(i64);
///
/// impl fmt::Display for PostId {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         self.0.fmt(f)
///     }
/// }
///
/// impl Column for PostId {
///     const KIND: ColumnKind = ColumnKind::Integer;
/// }
///
/// #[derive(CacheModel)]
/// #[cache(table = "posts", patterns = ["posts:<<id>>:*"])]
/// struct Post {
///     id: PostId,
/// }
///
/// assert_eq!(Post { id: PostId(7) }.cache_patterns(), ["posts:7:*"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "a trigger can't write `{Self}` into a pattern as Rust does",
    label = "the text of this type in SQL may differ from its text in Rust",
    note = "a placeholder of a model takes strings, integers, `bool`, `Uuid` (with the feature `uuid`) and `Option`s of these",
    note = "write `*` in the place of the placeholder; or, for a type of your own whose `Display` writes the text of the column, implement `cache_runtime::model::Column` for it"
)]
pub trait Column {
    /// How SQL writes a value of the column, so that the text is the one of `Display`.
    const KIND: ColumnKind;
}

/// How SQL writes a value of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// The text itself.
    Text,
    /// Decimal digits, with a `-` in front of a negative number.
    Integer,
    /// `true` or `false`, also where the database stores 1 or 0.
    Bool,
    /// Lower-case hexadecimal digits with hyphens, also where the database stores 16 bytes.
    Uuid,
}

macro_rules! columns {
    ($($kind:ident: $($type:ty),+;)+) => {$($(
        impl Column for $type {
            const KIND: ColumnKind = ColumnKind::$kind;
        }
    )+)+};
}
columns! {
    Text: str, String, Cow<'_, str>;
    Integer: i8, i16, i32, i64, isize, u8, u16, u32, u64, usize,
        NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<isize>,
        NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<usize>;
    Bool: bool;
}

#[cfg(feature = "uuid")]
impl Column for uuid::Uuid {
    const KIND: ColumnKind = ColumnKind::Uuid;
}

macro_rules! transparent {
    ($($pointer:ty),+) => {$(
        impl<T: Column + ?Sized> Column for $pointer {
            const KIND: ColumnKind = T::KIND;
        }
    )+};
}
transparent!(&T, Box<T>, Rc<T>, Arc<T>);

/// `NULL` is written `%none`, as `None` is in Rust.
impl<T: Column> Column for Option<T> {
    const KIND: ColumnKind = T::KIND;
}
