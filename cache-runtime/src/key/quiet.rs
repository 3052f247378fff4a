//! Hashes an argument without a word where it can't be: the annotated function has said it, and each of its companions would
//! say it again. Method resolution chooses, as in `part.rs`.

use std::ops::Deref;

use super::writer::{HashArgument, Writer};

/// First choice: an argument that can be hashed.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Probe<'a, T> {
    /// Holds an argument while it is looked up whether it can be hashed.
    pub fn of(argument: &'a T) -> Self {
        Self(argument)
    }
}

impl<T: HashArgument<()> + ?Sized> Probe<'_, T> {
    /// Lets the argument enter the variant.
    pub fn __hash(&self, writer: &mut Writer<'_>, name: &'static str) {
        writer.argument::<(), _>(name, self.0);
    }
}

/// Last choice: there is an error already.
#[derive(Debug)]
pub struct Unhashed;

impl Unhashed {
    /// Does nothing.
    pub fn __hash(&self, _: &mut Writer<'_>, _: &'static str) {}
}

impl<T: ?Sized> Deref for Probe<'_, T> {
    type Target = Unhashed;
    fn deref(&self) -> &Unhashed {
        &Unhashed
    }
}
