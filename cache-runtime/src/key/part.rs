//! Types that a placeholder accepts, decided at compile time by method resolution.
//!
//! `PartProbe::of(&value).__part(w, before, name)` is a method of the first of four types that has
//! it: [`PartProbe`] for text and integers, which need no formatting; [`Displayed`] for other
//! `Display` types; [`Optional`] for an `Option` of them; and [`Textless`] for the rest. Each is
//! found by dereferencing the one before. The method of `Textless` requires a trait that no type
//! implements, so that the compiler shows our message at the placeholder. (The technique is a
//! relative of autoref specialization, which D. Tolnay described in 2019. Inherent methods are
//! resolved sooner than trait methods and need no imports, and the compiler follows one reference
//! instead of four for every annotated function.)
//!
//! The methods have underscores, since a user's trait that is implemented for every type could also
//! have a method `part`.

use std::fmt::Display;
use std::ops::Deref;

use super::direct::Direct;
use super::writer::Writer;

/// First choice: text or an integer.
#[derive(Debug)]
pub struct PartProbe<'a, T: ?Sized>(Displayed<'a, T>);

/// Second choice: a `Display` value.
#[derive(Debug)]
pub struct Displayed<'a, T: ?Sized>(Optional<'a, T>);

/// Third choice: an `Option` of a `Display` value.
#[derive(Debug)]
pub struct Optional<'a, T: ?Sized>(Textless<'a, T>);

/// Last choice: a value that has no text.
#[derive(Debug)]
pub struct Textless<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> PartProbe<'a, T> {
    /// Capture the value of a placeholder for method resolution.
    #[inline]
    pub fn of(value: &'a T) -> Self {
        Self(Displayed(Optional(Textless(value))))
    }
}

impl<T: Direct + ?Sized> PartProbe<'_, T> {
    /// Write the literal text before the value, and the value.
    #[inline]
    pub fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str) {
        writer.text(before);
        writer.direct(name, self.0.0.0.0);
    }
}

impl<T: Display + ?Sized> Displayed<'_, T> {
    /// Write the literal text before the value, and the value.
    pub fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str) {
        writer.text(before);
        writer.part(name, Some(&self.0.0.0));
    }
}

impl<T: MaybeShown + ?Sized> Optional<'_, T> {
    /// Write the literal text before the value, and the value or the mark of `None`.
    pub fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str) {
        writer.text(before);
        writer.part(name, self.0.0.shown());
    }
}

impl<T: ?Sized> Textless<'_, T> {
    /// Fail to compile.
    pub fn __part(&self, _: &mut Writer<'_>, _: &'static str, _: &'static str)
    where
        T: KeyPart,
    {
    }
}

impl<'a, T: ?Sized> Deref for PartProbe<'a, T> {
    type Target = Displayed<'a, T>;
    fn deref(&self) -> &Displayed<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Displayed<'a, T> {
    type Target = Optional<'a, T>;
    fn deref(&self) -> &Optional<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Optional<'a, T> {
    type Target = Textless<'a, T>;
    fn deref(&self) -> &Textless<'a, T> {
        &self.0
    }
}

/// An `Option` of a `Display` value, and references to it.
pub trait MaybeShown {
    /// Return the value, if there is one.
    fn shown(&self) -> Option<&dyn Display>;
}

impl<T: Display> MaybeShown for Option<T> {
    fn shown(&self) -> Option<&dyn Display> {
        self.as_ref().map(|value| value as &dyn Display)
    }
}

impl<T: MaybeShown + ?Sized> MaybeShown for &T {
    fn shown(&self) -> Option<&dyn Display> {
        (**self).shown()
    }
}

impl<T: MaybeShown + ?Sized> MaybeShown for &mut T {
    fn shown(&self) -> Option<&dyn Display> {
        (**self).shown()
    }
}

/// Trait that no type implements, so that the compiler reports its message for the placeholder's
/// type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written into a cache key",
    label = "this type can't be written as text",
    note = "a placeholder takes strings, integers, `bool`, `char`, `Uuid`, any type that implements `Display`, and `Option`s of these",
    note = "name a field or call a method in the placeholder, such as `<<user.id>>`; or leave the argument out of the template, so that it is hashed; or add it to `skip(..)`"
)]
pub trait KeyPart {}
