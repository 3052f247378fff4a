//! All checks. Each names the mistake and the fix, at the mistake's own span.

pub(crate) mod adapter;
pub(crate) mod audit;
pub(crate) mod closures;
pub(crate) mod companions;
pub(crate) mod context;
pub(crate) mod each;
pub(crate) mod function;
pub(crate) mod masked;
pub(crate) mod names;
pub(crate) mod namespace;
pub(crate) mod negative;
pub(crate) mod output;
pub(crate) mod owner;
pub(crate) mod pattern;
pub(crate) mod per_item;
pub(crate) mod receiver;
pub(crate) mod refresh;
pub(crate) mod skip;
pub(crate) mod text;
pub(crate) mod transaction;
pub(crate) mod value;
pub(crate) mod write_through;

use crate::diagnostics::nearest::{hint, list};
use crate::item::signature::Facts;

/// Format `; did you mean ..? the arguments of `f` are ..`, for a name that isn't one of them.
fn arguments(word: &str, facts: &Facts) -> String {
    let names = facts.names();
    if names.is_empty() {
        return format!("; `{}` has no arguments", facts.name);
    }
    let meant = hint(word, &names);
    let separator = if meant.is_empty() { ";" } else { "" };
    format!(
        "{meant}{separator} the arguments of `{}` are {}",
        facts.name,
        list(&names)
    )
}
