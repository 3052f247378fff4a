//! What a placeholder accepts, decided at compile time by method resolution.
//!
//! `(&&&&Probe(value)).__part()` finds the first of four traits that fits: [`probe::Direct`] for text and integers, which
//! needs no formatting, [`probe::Shown`] for what else is `Display`, [`probe::Optional`] for an `Option` of it, [`probe::Unfit`] for the rest, whose `write` asks for a trait that
//! nothing implements, so that the compiler shows our message at the placeholder. (The technique is known as
//! autoref specialization; D. Tolnay described it in 2019.)

use std::fmt::Display;

use super::direct::Direct;
use super::writer::Writer;

/// Holds the value of a placeholder while its kind is looked up.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// Writes text or an integer.
#[derive(Debug)]
pub struct DirectPart;

/// Writes a `Display` value.
#[derive(Debug)]
pub struct ShownPart;

/// Writes an `Option` of a `Display` value.
#[derive(Debug)]
pub struct OptionalPart;

/// Writes nothing: does not compile.
#[derive(Debug)]
pub struct UnfitPart;

/// The traits whose method resolution chooses the part. Their methods have underscores, since a trait of the user's that is
/// implemented for every type could have a method `part` too.
pub mod probe {
    use super::*;

    /// First choice.
    pub trait Direct {
        /// The part that writes the value.
        fn __part(&self) -> DirectPart;
    }
    impl<T: super::Direct + ?Sized> Direct for &&&Probe<'_, T> {
        #[inline]
        fn __part(&self) -> DirectPart {
            DirectPart
        }
    }

    /// Second choice.
    pub trait Shown {
        /// The part that writes the value.
        fn __part(&self) -> ShownPart;
    }
    impl<T: Display + ?Sized> Shown for &&Probe<'_, T> {
        fn __part(&self) -> ShownPart {
            ShownPart
        }
    }

    /// Third choice.
    pub trait Optional {
        /// The part that writes the value.
        fn __part(&self) -> OptionalPart;
    }
    impl<T: MaybeShown + ?Sized> Optional for &Probe<'_, T> {
        fn __part(&self) -> OptionalPart {
            OptionalPart
        }
    }

    /// Last choice.
    pub trait Unfit {
        /// The part that doesn't compile.
        fn __part(&self) -> UnfitPart;
    }
    impl<T: ?Sized> Unfit for Probe<'_, T> {
        fn __part(&self) -> UnfitPart {
            UnfitPart
        }
    }
}

/// `Option` of a `Display` value, and references to it.
pub trait MaybeShown {
    /// The value, if there is one.
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

/// What a placeholder takes; implemented by nothing, so that its message is what the compiler says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written into a cache key",
    label = "this placeholder's value has no text",
    note = "a placeholder takes strings, integers, `bool`, `char`, `Uuid`, anything that is `Display`, and `Option`s of these",
    note = "name a field or call a method in the placeholder, such as `<<user.id>>`; or leave the argument out of the template, so that it is hashed; or add it to `skip(..)`"
)]
pub trait KeyPart {}

impl DirectPart {
    /// Writes the value as one part of a segment.
    #[inline]
    pub fn write<T: Direct + ?Sized>(self, writer: &mut Writer<'_>, name: &'static str, value: &T) {
        writer.direct(name, value);
    }
}

impl ShownPart {
    /// Writes the value as one part of a segment.
    pub fn write<T: Display + ?Sized>(
        self,
        writer: &mut Writer<'_>,
        name: &'static str,
        value: &T,
    ) {
        writer.part(name, Some(&value));
    }
}

impl OptionalPart {
    /// Writes the value, or the mark of `None`.
    pub fn write<T: MaybeShown + ?Sized>(
        self,
        writer: &mut Writer<'_>,
        name: &'static str,
        value: &T,
    ) {
        writer.part(name, value.shown());
    }
}

impl UnfitPart {
    /// Doesn't compile: the value has no text.
    pub fn write<T: KeyPart + ?Sized>(self, _: &mut Writer<'_>, _: &'static str, _: &T) {}
}
