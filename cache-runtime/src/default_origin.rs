//! The origin of the process's default cache, for the error of an `install` that comes too late.
//! The default is set once, so its origin is too.

use std::fmt;
use std::panic::Location;
use std::sync::OnceLock;

static ORIGIN: OnceLock<DefaultOrigin> = OnceLock::new();

/// The call that set the default.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DefaultOrigin {
    /// A call of `install`.
    Installed(&'static Location<'static>),
    /// A call that needed a cache. The default was created from the environment.
    Called(FirstCall),
}

/// A call that uses the default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstCall {
    pub(crate) function: &'static str,
    /// The source position of the function's attribute, or of the call.
    pub(crate) at: &'static Location<'static>,
}

impl DefaultOrigin {
    /// Remember this origin. Called while the default is being set.
    pub(crate) fn remember(self) {
        // Set before only if the default was, which then keeps its origin.
        let _ = ORIGIN.set(self);
    }
}

/// Write why `install` came too late, and what to do.
pub(crate) fn explain_late_install(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match ORIGIN.get() {
        Some(DefaultOrigin::Called(FirstCall { function, at })) => write!(
            f,
            "the default cache is already set: a call of `{function}` ({}:{}) came before \
             `install` and created it from the environment; call `install` before that call, at the \
             start of the program",
            at.file(),
            at.line()
        ),
        Some(DefaultOrigin::Installed(at)) => write!(
            f,
            "the default cache is already set: it was installed at {}:{}; call `install` once, at \
             the start of the program",
            at.file(),
            at.line()
        ),
        None => f.write_str(
            "the default cache is already set; call `install` once, before the first cached call",
        ),
    }
}
