//! Parts of a key: one segment of a path each.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::key::escape::Escape;
use crate::key::text::Text;
use crate::key::writer::NONE;

/// One segment of a path: any type that implements [`Display`], or [`optional`] of one.
///
/// The value is escaped, so it stays one segment.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a part of a key",
    label = "this type can't be written as text",
    note = "a part is a string, an integer, `bool`, `char`, `Uuid`, or any other type that implements `Display`; write `optional(&value)` for an `Option`",
    note = "`ANY` is for patterns only"
)]
pub trait Segment {
    #[doc(hidden)]
    fn write(&self, out: &mut PathWriter);
}

// The error names the part, and not its missing `Display`.
#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> Segment for T {
    fn write(&self, out: &mut PathWriter) {
        out.value(&self);
    }
}

/// An `Option` as a part of a key. Returned by [`optional`].
#[derive(Clone, Copy, Debug)]
pub struct Optional<'a, T>(&'a Option<T>);

/// Return an `Option` as a part of a key. `None`, `Some("")` and `Some("None")` are three keys.
///
/// ```
/// use cache_runtime::{Cache, optional};
///
/// let posts = Cache::builder().build()?.namespace("posts");
/// let topic = Some("rust");
/// assert_eq!(posts.key(("list", optional(&topic))), "posts:v1:list:rust");
/// assert_eq!(posts.key(("list", optional(&None::<u8>))), "posts:v1:list:%none");
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
pub fn optional<T: Display>(value: &Option<T>) -> Optional<'_, T> {
    Optional(value)
}

impl<T: Display> Segment for Optional<'_, T> {
    fn write(&self, out: &mut PathWriter) {
        match self.0 {
            Some(value) => out.value(value),
            None => out.text.push_str(NONE),
        }
    }
}

/// Return a text for a value whose `Display` fails. No two are equal, so that no two such values
/// share an entry, and no escaped value has it.
pub(crate) fn in_place_of_failed() -> String {
    static FAILURES: AtomicU64 = AtomicU64::new(0);
    let number = FAILURES.fetch_add(1, Ordering::Relaxed);
    format!("%failed-{}-{number}", std::process::id())
}

/// Return the text of one segment.
pub(crate) fn segment_text(part: &impl Segment) -> String {
    let mut writer = PathWriter::key("");
    part.write(&mut writer);
    writer.finish()
}

/// A part of a pattern that matches any text. The only value of its type is [`ANY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Any(());

/// Any text, as a part of a pattern: a `*`. It matches one part or several.
///
/// ```
/// use cache_runtime::{ANY, Cache};
///
/// let chat = Cache::builder().build()?.namespace("chat");
/// assert_eq!(chat.pattern(("conversation", ANY, "messages")), "chat:v1:conversation:*:messages");
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
pub const ANY: Any = Any(());

/// One segment of a pattern: a [`Segment`], or [`ANY`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a part of a pattern",
    label = "this type can't be written as text",
    note = "a part is `ANY`, or a type that implements `Display`; write `optional(&value)` for an `Option`"
)]
pub trait PatternSegment {
    #[doc(hidden)]
    fn write_pattern(&self, out: &mut PathWriter);
}

#[diagnostic::do_not_recommend]
impl<T: Segment + ?Sized> PatternSegment for T {
    fn write_pattern(&self, out: &mut PathWriter) {
        self.write(out);
    }
}

impl PatternSegment for Any {
    fn write_pattern(&self, out: &mut PathWriter) {
        out.text.push('*');
    }
}

/// The parts of a key: a tuple of [`Segment`]s, an array or slice of them, or one string.
///
/// ```
/// use cache_runtime::Cache;
///
/// let chat = Cache::builder().build()?.namespace("chat");
/// assert_eq!(chat.key(("conversation", 123)), "chat:v1:conversation:123");
/// assert_eq!(chat.key(["a", "b"]), "chat:v1:a:b");
/// assert_eq!(chat.key("online"), "chat:v1:online");
/// # Ok::<(), cache_runtime::CacheError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't the parts of a key",
    label = "not the parts of a key",
    note = "pass a tuple of up to eight parts, such as `(\"conversation\", id)` or `(id,)`, an array of parts, or one string",
    note = "`ANY` is for patterns only; write `optional(&value)` for an `Option`"
)]
pub trait KeyParts {
    #[doc(hidden)]
    fn write_key(&self, out: &mut PathWriter);
}

/// The parts of a pattern: as [`KeyParts`], and each may be [`ANY`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` isn't the parts of a pattern",
    label = "not the parts of a pattern",
    note = "pass a tuple of up to eight parts, such as `(\"conversation\", ANY)`, an array of parts, one string, or `ANY`"
)]
pub trait PatternParts {
    #[doc(hidden)]
    fn write_parts(&self, out: &mut PathWriter);
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Segment),*> KeyParts for ($($name,)*) {
            #[allow(non_snake_case)]
            fn write_key(&self, out: &mut PathWriter) {
                let ($($name,)*) = self;
                $(out.segment(|out| $name.write(out));)*
            }
        }

        impl<$($name: PatternSegment),*> PatternParts for ($($name,)*) {
            #[allow(non_snake_case)]
            fn write_parts(&self, out: &mut PathWriter) {
                let ($($name,)*) = self;
                $(out.segment(|out| $name.write_pattern(out));)*
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);

macro_rules! strings {
    ($($string:ty),*) => {$(
        impl KeyParts for $string {
            fn write_key(&self, out: &mut PathWriter) {
                out.segment(|out| self.write(out));
            }
        }

        impl PatternParts for $string {
            fn write_parts(&self, out: &mut PathWriter) {
                out.segment(|out| self.write(out));
            }
        }
    )*};
}

strings!(str, String);

impl PatternParts for Any {
    fn write_parts(&self, out: &mut PathWriter) {
        out.segment(|out| self.write_pattern(out));
    }
}

impl<S: Segment> KeyParts for [S] {
    fn write_key(&self, out: &mut PathWriter) {
        self.iter()
            .for_each(|part| out.segment(|out| part.write(out)));
    }
}

impl<S: PatternSegment> PatternParts for [S] {
    fn write_parts(&self, out: &mut PathWriter) {
        self.iter()
            .for_each(|part| out.segment(|out| part.write_pattern(out)));
    }
}

impl<S: Segment, const N: usize> KeyParts for [S; N] {
    fn write_key(&self, out: &mut PathWriter) {
        self.as_slice().write_key(out);
    }
}

impl<S: PatternSegment, const N: usize> PatternParts for [S; N] {
    fn write_parts(&self, out: &mut PathWriter) {
        self.as_slice().write_parts(out);
    }
}

impl<P: KeyParts + ?Sized> KeyParts for &P {
    fn write_key(&self, out: &mut PathWriter) {
        (**self).write_key(out);
    }
}

impl<P: PatternParts + ?Sized> PatternParts for &P {
    fn write_parts(&self, out: &mut PathWriter) {
        (**self).write_parts(out);
    }
}

/// Writer of a path, segment by segment.
#[doc(hidden)]
#[derive(Debug)]
pub struct PathWriter {
    text: Text,
    /// Text of a value whose `Display` fails.
    failed: Failed,
}

/// The kind of path that is written, which decides on a value without a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failed {
    /// In a key: text that no other key has, so that no two values share an entry.
    Unique,
    /// In a pattern: `*`, since a pattern must not match less than intended.
    Wildcard,
}

impl PathWriter {
    /// Begin a key below `root`, which is written as it is.
    pub(crate) fn key(root: &str) -> Self {
        Self::below(root, Failed::Unique)
    }

    /// Begin a pattern below `root`.
    pub(crate) fn pattern(root: &str) -> Self {
        Self::below(root, Failed::Wildcard)
    }

    fn below(root: &str, failed: Failed) -> Self {
        let mut text = Text::default();
        text.push_str(root);
        Self { text, failed }
    }

    /// Write one more segment.
    pub(crate) fn segment(&mut self, write: impl FnOnce(&mut Self)) {
        self.text.push(':');
        write(self);
    }

    /// Write text that the namespace itself adds.
    pub(crate) fn literal(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Write the name of a parameter. A `=` in it is escaped as well, since `=` ends it.
    pub(crate) fn name(&mut self, name: &dyn Display) {
        let mut alone = Self::below("", self.failed);
        alone.value(name);
        self.text.push_str(&alone.finish().replace('=', "%3D"));
    }

    /// Write a value, escaped.
    fn value(&mut self, value: &dyn Display) {
        if write!(Escape(&mut self.text), "{value}").is_err() {
            self.fail();
        }
    }

    #[cold]
    fn fail(&mut self) {
        match self.failed {
            Failed::Wildcard => self.text.push('*'),
            Failed::Unique => self.text.push_str(&in_place_of_failed()),
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text.to_str().into_owned()
    }
}
