//! Writing a key: the path as text, and the hash of the variant.

use std::cell::Cell;
use std::fmt::{Display, Write};
use std::ops::Range;

use super::cache_key::KeyWriter;
use super::canonical::Canonical;
use super::direct::Direct;
use super::escape::Escape;
use super::hash_argument::HashArgument;
use super::shown::ShownArguments;
use super::text::Text;

/// Mark on both sides of the name of a part of the returned value in a pattern, until the value is
/// known. No other text can contain it: control characters are escaped in values and refused in
/// literals.
pub(crate) const HOLE: char = '\u{1}';

/// Text of `None`. No value has this text: an escape's `%` is followed by two upper-case
/// hexadecimal digits.
pub(crate) const NONE: &str = "%none";

/// Writer through which generated code renders a key or patterns.
#[derive(Debug)]
pub struct Writer<'a>(&'a mut Rendering);

/// A key, or patterns, while they are rendered.
#[derive(Debug, Default)]
pub(crate) struct Rendering {
    /// The path, or the pattern in progress.
    pub(crate) text: Text,
    /// The canonical bytes of the variant; empty if there is none.
    pub(crate) variant: Vec<u8>,
    /// Whether any of the following fields is used. Most calls use none of them and check only this
    /// flag.
    unusual: bool,
    /// Whether the parts' lengths enter the variant, because the template doesn't separate them.
    ambiguous: bool,
    /// Name and range in `text` of each part, recorded for a debug event.
    parts: Option<Vec<(&'static str, Range<usize>)>>,
    /// Completed patterns.
    pub(crate) patterns: Vec<String>,
    /// The reason why there is no key: an argument's `Serialize` failed.
    pub(crate) failure: Option<String>,
}

/// Largest buffer kept for reuse, in bytes. Buffers grown by one huge argument are freed.
const MAX_SPARE_BYTES: usize = 16 << 10;

thread_local! {
    /// The last rendering of this thread, cleared, so that a hit finds its buffers allocated.
    static SPARE: Cell<Option<Box<Rendering>>> = const { Cell::new(None) };
}

/// Run `use_it` on an empty rendering whose buffers are reused between calls. The rendering is
/// taken, not borrowed: an argument's `Display` may itself call a cached function.
#[inline]
pub(crate) fn with_rendering<T>(use_it: impl FnOnce(&mut Rendering) -> T) -> T {
    let mut rendering = SPARE
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_default();
    let result = use_it(&mut rendering);
    rendering.clear();
    if rendering.text.capacity() <= MAX_SPARE_BYTES
        && rendering.variant.capacity() <= MAX_SPARE_BYTES
    {
        // A thread that is ending can't keep a spare, which isn't an error.
        let _ = SPARE.try_with(|spare| spare.set(Some(rendering)));
    }
    result
}

impl Rendering {
    #[inline]
    fn clear(&mut self) {
        self.text.clear();
        self.variant.clear();
        if self.unusual {
            self.clear_rest();
        }
    }

    #[cold]
    fn clear_rest(&mut self) {
        self.unusual = false;
        self.ambiguous = false;
        self.parts = None;
        self.failure = None;
        self.patterns.clear();
    }

    pub(crate) fn show_parts(&mut self) {
        self.unusual = true;
        self.parts = Some(Vec::new());
    }

    #[inline(never)]
    pub(crate) fn hash_lengths(&mut self) {
        self.unusual = true;
        self.ambiguous = true;
    }

    /// Record the reason why there is no key.
    #[cold]
    fn fail(&mut self, reason: String) {
        self.unusual = true;
        self.failure = Some(reason);
    }

    /// Return whether the key couldn't be rendered.
    #[inline]
    pub(crate) fn failed(&self) -> bool {
        self.unusual && self.failure.is_some()
    }

    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer(self)
    }

    /// Return the recorded parts and the hashed arguments, for an event. The canonical bytes begin
    /// with `identity` bytes that belong to no argument.
    pub(crate) fn shown_arguments(&self, identity: usize) -> ShownArguments<'_> {
        let parts = self.parts.as_deref().unwrap_or_default();
        let lengths = if self.ambiguous { 8 * parts.len() } else { 0 };
        let hashed = self.variant.get(identity + lengths..);
        ShownArguments {
            text: &self.text,
            parts,
            hashed: hashed.unwrap_or_default(),
        }
    }

    /// Return the parts with their names, as rendered.
    pub(crate) fn named_parts(&self) -> Vec<(&'static str, String)> {
        let text = self.text.to_str();
        let parts = self.parts.iter().flatten();
        parts
            .map(|(name, range)| (*name, text[range.clone()].to_owned()))
            .collect()
    }

    /// Append `#variant` if there is one.
    #[inline]
    pub(crate) fn finish_key(&mut self) {
        if !self.variant.is_empty() {
            self.push_variant();
        }
    }

    #[inline(never)]
    fn push_variant(&mut self) {
        super::hash::push_variant(&mut self.text, &self.variant);
    }
}

impl Writer<'_> {
    /// Write literal text of the template.
    #[inline]
    pub fn text(&mut self, literal: &'static str) {
        self.0.text.push_literal(literal);
    }

    #[inline]
    pub(crate) fn direct<T: Direct + ?Sized>(&mut self, name: &'static str, value: &T) {
        if self.0.unusual {
            return self.direct_noted(name, value);
        }
        value.push_into(&mut self.0.text);
    }

    /// Not inlined: otherwise every placeholder of a program would contain a copy.
    #[inline(never)]
    fn direct_noted<T: Direct + ?Sized>(&mut self, name: &'static str, value: &T) {
        let start = self.0.text.len();
        value.push_into(&mut self.0.text);
        self.written(name, start);
    }

    pub(crate) fn part(&mut self, name: &'static str, value: Option<&dyn Display>) {
        let start = self.0.text.len();
        match value {
            None => self.0.text.push_str(NONE),
            Some(value) => {
                if write!(Escape(&mut self.0.text), "{value}").is_err() {
                    // A key isn't used in this case; a pattern must not match less than intended.
                    let before = self.0.text.to_str()[..start].to_owned();
                    self.0.text.clear();
                    self.0.text.push_str(&before);
                    self.0.text.push('*');
                    self.0.fail(format!("the `Display` of `{name}` failed"));
                }
            }
        }
        self.written(name, start);
    }

    /// Record a part that begins at `start`.
    fn written(&mut self, name: &'static str, start: usize) {
        let end = self.0.text.len();
        if let Some(parts) = &mut self.0.parts {
            parts.push((name, start..end));
        }
        if self.0.ambiguous {
            self.0
                .variant
                .extend_from_slice(&((end - start) as u64).to_le_bytes());
        }
    }

    /// Add an argument to the variant. `Name` is the argument's name as a type, for the compiler's
    /// message.
    pub fn argument<Name, T>(&mut self, name: &'static str, value: &T)
    where
        T: HashArgument<Name> + ?Sized,
    {
        if let Err(reason) = value.hash_into(Canonical::named(&mut self.0.variant, name)) {
            self.0.fail(format!("the argument `{name}`: {reason}"));
        }
    }

    /// Add an argument that implements `CacheKey` to the variant.
    pub(crate) fn keyed(&mut self, name: &'static str, write: &dyn Fn(&mut KeyWriter<'_>)) {
        let mut failure = None;
        let _ = Canonical::named(&mut self.0.variant, name);
        write(&mut KeyWriter::new(&mut self.0.variant, &mut failure));
        if let Some(reason) = failure {
            self.0.fail(format!("the argument `{name}`: {reason}"));
        }
    }

    /// Add an owner that the template doesn't name to the variant: owners never share an entry. The
    /// closure writes it as a placeholder.
    pub fn owner(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.0.text.len();
        write(self);
        let text = self.0.text.to_str();
        let (before, owner) = (text[..start].to_owned(), text[start..].to_owned());
        drop(text);
        self.0.text.clear();
        self.0.text.push_str(&before);
        if let Some(parts) = &mut self.0.parts {
            parts.pop();
        }
        self.argument::<(), str>("owner", &owner);
    }

    /// Write a placeholder whose value the context doesn't have: in a pattern a `*`, which matches
    /// every value. There is no key then.
    #[cold]
    pub fn without_context(&mut self, before: &'static str, name: &'static str) {
        self.text(before);
        self.0.text.push('*');
        self.no_context(name);
    }

    #[cold]
    pub(crate) fn no_context(&mut self, name: &str) {
        if self.0.failed() {
            return;
        }
        self.0.fail(format!(
            "the context has no `{name}`: put a `ContextLayer` or `context::scope` around the call"
        ));
    }

    /// Leave room in a pattern for the parts of the returned value with this name.
    pub fn result(&mut self, name: &'static str) {
        self.0.text.push(HOLE);
        self.0.text.push_str(name);
        self.0.text.push(HOLE);
    }

    /// End a pattern.
    pub fn end(&mut self) {
        self.0.unusual = true;
        self.0.patterns.push(self.0.text.to_str().into_owned());
        self.0.text.clear();
    }
}

/// The closure that an attribute creates, and its type name, which identifies the instance of the
/// function. The closure's type is erased here: functions that take this are compiled once, not for
/// each annotated function.
#[derive(Clone, Copy)]
pub struct Rendered<'a> {
    write: &'a dyn Fn(&mut Writer<'_>),
    /// Type name of the closure.
    pub(crate) type_name: &'static str,
}

impl Rendered<'_> {
    /// Write the key or the patterns.
    #[inline]
    pub(crate) fn render(self, writer: &mut Writer<'_>) {
        (self.write)(writer);
    }
}

/// A closure that moves nothing out of the function's arguments. `Fn` isn't a supertrait, since the
/// compiler would then report the closure's captures, which the user didn't write.
#[diagnostic::on_unimplemented(
    message = "this placeholder moves or changes an argument",
    label = "a placeholder only borrows the arguments, because the body needs them afterwards",
    note = "borrow in the placeholder: write `<<name.as_str()>>` instead of `<<name.into_boxed_str()>>`; or clone: `<<name.clone().into_boxed_str()>>`"
)]
pub trait SeesByReference: Sized {
    /// Erase the type of the closure.
    fn rendered(&self) -> Rendered<'_>;
}

#[diagnostic::do_not_recommend]
impl<F: Fn(&mut Writer<'_>)> SeesByReference for F {
    fn rendered(&self) -> Rendered<'_> {
        Rendered {
            write: self,
            type_name: std::any::type_name::<F>(),
        }
    }
}
