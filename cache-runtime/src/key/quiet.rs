//! Hashes an argument without a word where it can't be: the annotated function has said it, and each of its companions would
//! say it again.

use super::writer::{HashArgument, Writer};

/// Holds an argument while method resolution looks whether it can be hashed.
#[derive(Debug)]
pub struct Probe<'a, T: ?Sized>(pub &'a T);

/// The traits whose method resolution tells the two apart.
pub mod probe {
    use super::*;

    /// First choice.
    pub trait Hashed {
        /// Lets the argument enter the variant.
        fn __hash(&self, writer: &mut Writer<'_>, name: &'static str);
    }
    impl<T: HashArgument<()> + ?Sized> Hashed for Probe<'_, T> {
        fn __hash(&self, writer: &mut Writer<'_>, name: &'static str) {
            writer.argument::<(), _>(name, self.0);
        }
    }

    /// Last choice: there is an error already.
    pub trait Unhashed {
        /// Does nothing.
        fn __hash(&self, _: &mut Writer<'_>, _: &'static str) {}
    }
    impl<T: ?Sized> Unhashed for &Probe<'_, T> {}
}
