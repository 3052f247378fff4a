//! Whether the companions are generated.

use crate::attr::args::CacheableArgs;
use crate::diagnostics::errors::Errors;
use crate::item::signature::{Facts, Style};

/// Return the option's value. The default is true only for functions that can be free functions,
/// since a trait's `impl` can't hold further methods.
pub(crate) fn wanted(args: &CacheableArgs, facts: &Facts, errors: &mut Errors) -> bool {
    let boxed = matches!(facts.style, Style::Boxed(_));
    match &args.companions {
        Some(option) if option.wanted && boxed => {
            errors.at(
                option.span,
                "an `async_trait` method can't have companions, since the trait doesn't declare \
                 them: remove `companions`, or annotate an inherent method and call it from this \
                 one",
            );
            false
        }
        Some(option) => option.wanted,
        None => !facts.names_self && !boxed,
    }
}
