//! `namespace`: it needs a key to put below its root.

use crate::attr::args::CacheableArgs;
use crate::diagnostics::errors::Errors;

pub(crate) fn check(args: &CacheableArgs, errors: &mut Errors) {
    if let (Some(namespace), None) = (&args.namespace, &args.key) {
        errors.at(
            namespace.span,
            "`namespace` needs `key`, the part of the path below it: write \
             `key = \"conversation:<<id>>\"`",
        );
    }
}
