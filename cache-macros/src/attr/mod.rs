//! The attributes as written, with their spans. Syntax only.

pub(crate) mod args;
pub(crate) mod audit;
pub(crate) mod namespace;
pub(crate) mod negative;
pub(crate) mod options;
pub(crate) mod staleness;
pub(crate) mod ttl;
pub(crate) mod tx;

use proc_macro2::{Span, TokenStream};

/// Which of the attributes this is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Cacheable,
    Invalidate,
    WriteThrough,
}

/// One of our attributes on the function, not yet parsed.
pub(crate) struct Attached {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) args: TokenStream,
}
