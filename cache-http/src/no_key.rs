//! Why a request has no key.

use std::fmt;

use crate::rules::target::Unkeyable;

/// Why a request has no key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoKey {
    /// The route has no path parameter of this name.
    NoParameter(&'static str),
    /// There is no `ContextLayer`.
    NoUser,
    /// The context doesn't have this name.
    NoContext(&'static str),
    /// The client's target has none.
    Unkeyable(Unkeyable),
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoParameter(name) => write!(
                f,
                "the route has no path parameter `{name}`: name one of the route's, as in `/posts/{{{name}}}`"
            ),
            Self::NoUser => f.write_str(
                "there is no user: put a `ContextLayer` around the routes, with `.layer(..)` after them",
            ),
            Self::NoContext(name) => write!(
                f,
                "the context has no `{name}`: set it with `cache_runtime::context::scope` around the service"
            ),
            Self::Unkeyable(reason) => f.write_str(reason.as_str()),
        }
    }
}

impl From<Unkeyable> for NoKey {
    fn from(reason: Unkeyable) -> Self {
        Self::Unkeyable(reason)
    }
}
