//! The bound on an argument that is hashed through serde.

use serde::Serialize;

use super::canonical::Canonical;

/// An argument that can enter the variant: any `Serialize` type.
#[diagnostic::on_unimplemented(
    message = "the argument `{Argument}` can't be hashed into the cache key: `{Self}` doesn't implement `serde::Serialize`",
    label = "not hashable",
    note = "add `skip({Argument})` to the attribute if the result doesn't depend on the argument; or use it in the template: `<<{Argument}>>`; or derive `Serialize` for its type"
)]
pub trait HashArgument<Argument> {
    /// Write the argument's canonical bytes.
    #[doc(hidden)]
    fn hash_into(&self, canonical: Canonical<'_>) -> Result<(), String>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized, Argument> HashArgument<Argument> for T {
    fn hash_into(&self, canonical: Canonical<'_>) -> Result<(), String> {
        self.serialize(canonical).map_err(|error| error.to_string())
    }
}
