//! The model of one annotated function: options and signature together. `analyze` builds it and
//! finds every mistake on the way; `expand` generates code from it.

use crate::attr::staleness::Staleness;
use crate::attr::ttl::Ttl;
use crate::item::function::Function;
use crate::item::signature::Facts;
use crate::template::{Placeholder, Template};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Expr, Ident, Pat, Path, Type};

/// Everything that the expansion needs.
pub(crate) struct Model {
    pub(crate) function: Function,
    pub(crate) facts: Facts,
    pub(crate) read: Option<Read>,
    pub(crate) writes: Vec<Write>,
    pub(crate) write_through: Option<WriteThrough>,
    pub(crate) companions: bool,
}

/// `#[cacheable]`.
pub(crate) struct Read {
    pub(crate) runtime: Runtime,
    pub(crate) key: Option<Template>,
    /// Names of the context that enter the key.
    pub(crate) context: Vec<Ident>,
    /// Whose entry it is.
    pub(crate) owner: Option<Owner>,
    /// The indices of the arguments that are hashed.
    pub(crate) hashed: Vec<usize>,
    /// The items, if each has an entry of its own.
    pub(crate) each: Option<Each>,
    pub(crate) ttl: Ttl,
    pub(crate) condition: Option<Expr>,
    pub(crate) unless: Option<Expr>,
    pub(crate) adapter: Option<Adapter>,
    pub(crate) cache_none: bool,
    pub(crate) negative: Option<Negative>,
    pub(crate) version: u32,
    pub(crate) near: bool,
    pub(crate) staleness: Staleness,
    /// Whether a computation outlives its caller.
    pub(crate) detached: bool,
    /// Whether hits are audited.
    pub(crate) audit: Option<Audit>,
    /// Where a value is recomputed while it is still cached; `None` if no option asks for it.
    pub(crate) refresher: Option<Refresher>,
    /// The transaction during which the function runs uncached.
    pub(crate) tx: Option<Expr>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
}

/// `audit`: which part of the hits is audited.
pub(crate) struct Audit {
    pub(crate) span: Span,
    /// `None` for the cache's rate.
    pub(crate) rate: Option<f64>,
    pub(crate) arguments: Vec<Argument>,
    /// The names that the signature binds as `mut`.
    pub(crate) changed: Vec<String>,
}

/// `owner`: whose entry it is.
pub(crate) struct Owner {
    pub(crate) placeholder: Placeholder,
    /// Whether the template names it. Otherwise it is hashed.
    pub(crate) in_key: bool,
    /// The template's shape, in which the owner has a character of its own.
    pub(crate) shape: String,
}

/// `cache_err`: which errors are cached.
pub(crate) struct Negative {
    /// A closure over the error.
    pub(crate) cache_err: Expr,
    pub(crate) ttl: Ttl,
    /// The closure that makes the error again; `None` if it is stored.
    pub(crate) err: Option<Expr>,
}

/// `each = ids`: the argument holds items, and the key names one of them.
pub(crate) struct Each {
    /// The argument.
    pub(crate) argument: Ident,
    /// The argument's pattern and type, as the body sees them.
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// The type of one item.
    pub(crate) item_ty: Type,
    /// The name of one item in the key.
    pub(crate) item: Ident,
}

/// `value` and `response`: from what the function returns to the stored value, and back.
pub(crate) struct Adapter {
    pub(crate) value: Expr,
    pub(crate) response: Expr,
}

/// `#[invalidate]`.
pub(crate) struct Write {
    pub(crate) runtime: Runtime,
    pub(crate) patterns: Vec<Template>,
    /// Names of the context that the patterns use.
    pub(crate) context: Vec<Ident>,
    pub(crate) when: When,
    pub(crate) condition: Option<Expr>,
    /// The transaction that collects the patterns until its commit.
    pub(crate) tx: Option<Expr>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
}

/// `#[write_through]`.
pub(crate) struct WriteThrough {
    pub(crate) runtime: Runtime,
    pub(crate) key: Template,
    /// Names of the context that the key and the TTL use.
    pub(crate) context: Vec<Ident>,
    pub(crate) ttl: Ttl,
    pub(crate) unless: Option<Expr>,
    pub(crate) cache_none: bool,
    pub(crate) version: u32,
    /// The transaction whose commit the value waits for.
    pub(crate) tx: Option<Expr>,
    pub(crate) debug: bool,
    pub(crate) cache: Option<Expr>,
}

/// When an invalidation happens.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum When {
    Ok,
    Always,
    Before,
}

/// Where a value is recomputed while it is still cached.
pub(crate) enum Refresher {
    /// In the one caller that finds it due.
    Caller,
    /// In the background, if the types of all arguments are `Clone + Send`.
    Background {
        arguments: Vec<Argument>,
        /// Whether it is an error if they aren't.
        required: bool,
    },
}

/// The type of an argument as written, and its `#[cfg(..)]`s.
pub(crate) struct Argument {
    pub(crate) ty: Type,
    pub(crate) cfgs: Vec<Attribute>,
}

/// The path of the runtime crate; `None` for `::cache_runtime`.
#[derive(Clone)]
pub(crate) struct Runtime(pub(crate) Option<Path>);

impl Runtime {
    /// The runtime crate under its own name.
    pub(crate) const DEFAULT: Self = Self(None);

    /// The runtime crate at this path.
    pub(crate) fn at(path: Path) -> Self {
        Self(Some(path))
    }

    /// Whether the runtime crate has its own name, whose path is valid in every module.
    pub(crate) fn is_default(&self) -> bool {
        self.0.is_none()
    }

    /// The module that generated code calls. Errors about it are reported at `span`.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        let span = Span::mixed_site().located_at(span);
        match &self.0 {
            Some(path) => quote_spanned!(span=> #path::__private),
            None => quote_spanned!(span=> ::cache_runtime::__private),
        }
    }
}
