//! `context(user_id)` of the attributes.

use std::sync::Arc;

use crate::key::writer::Writer;

/// Return the value of this name, for a placeholder or a condition.
pub fn context(name: &str) -> Option<Arc<str>> {
    super::value(name)
}

/// Add the value to the variant of a key, as an argument of this name.
pub fn hash_context(writer: &mut Writer<'_>, name: &'static str) {
    match super::value(name) {
        Some(value) => writer.argument::<(), str>(name, &value),
        None => writer.no_context(name),
    }
}
