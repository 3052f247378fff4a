//! What a placeholder accepts, decided at compile time by method resolution.
//!
//! `(&&&&Probe(&value)).__part(w, before, name)` is a method of the first of four traits that fits: [`probe::Direct`] for text and integers,
//! which needs no formatting, [`probe::Shown`] for what else is `Display`, [`probe::Optional`] for an `Option` of it, [`probe::Unfit`]
//! for the rest, whose method asks for a trait that nothing implements, so that the compiler shows our message at the
//! placeholder. (The technique is known as autoref specialization; D. Tolnay described it in 2019.)

use std::fmt::Display;

use super::direct::Direct;
use super::writer::Writer;

/// Holds the value of a placeholder while its kind is looked up.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// The traits whose method resolution chooses how the value is written, as one part of a segment. Their methods have
/// underscores, since a trait of the user's that is implemented for every type could have a method `part` too.
pub mod probe {
    use super::*;

    /// First choice: text or an integer.
    pub trait Direct {
        /// Writes the literal text before the value, and the value.
        fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str);
    }
    impl<T: super::Direct + ?Sized> Direct for &&&Probe<'_, T> {
        #[inline]
        fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str) {
            writer.text(before);
            writer.direct(name, self.0);
        }
    }

    /// Second choice: a `Display` value.
    pub trait Shown {
        /// Writes the literal text before the value, and the value.
        fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str);
    }
    impl<T: Display + ?Sized> Shown for &&Probe<'_, T> {
        fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str) {
            writer.text(before);
            writer.part(name, Some(&self.0));
        }
    }

    /// Third choice: an `Option` of a `Display` value.
    pub trait Optional {
        /// The same, or the mark of `None`.
        fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str);
    }
    impl<T: MaybeShown + ?Sized> Optional for &Probe<'_, T> {
        fn __part(&self, writer: &mut Writer<'_>, before: &'static str, name: &'static str) {
            writer.text(before);
            writer.part(name, self.0.shown());
        }
    }

    /// Last choice: a value that has no text.
    pub trait Unfit {
        /// Its type.
        type Value: ?Sized;
        /// Doesn't compile.
        fn __part(&self, _: &mut Writer<'_>, _: &'static str, _: &'static str)
        where
            Self::Value: KeyPart,
        {
        }
    }
    impl<T: ?Sized> Unfit for Probe<'_, T> {
        type Value = T;
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
