//! The annotated function: its signature, the names it binds, and the names that an expression
//! uses.

pub(crate) mod async_trait;
pub(crate) mod bindings;
pub(crate) mod extractor;
pub(crate) mod free;
pub(crate) mod function;
pub(crate) mod opaque;
pub(crate) mod serde_hazard;
pub(crate) mod signature;
pub(crate) mod transaction;
