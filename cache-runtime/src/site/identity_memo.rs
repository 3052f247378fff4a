//! The part of an instance's identity that enters the key, remembered for each call site.

use std::sync::OnceLock;

use serde::Serialize;

use crate::key::canonical::Canonical;
use crate::site::ReadInfo;
use crate::site::identity::{declared, has_arguments, identity};
use crate::site::namesakes::position_among_namesakes;

/// The part of an instance's identity that enters the variant of a call site: `None`, or canonical
/// bytes.
type VariantPart = Option<Box<[u8]>>;

/// Memo, for one call site, of the part of its identity that enters the variant. A function without
/// type or const parameters has only one instance, so the answer takes one comparison: of pointers,
/// or of texts where the compiler emits the name twice because it inlines the function in several
/// places.
#[derive(Debug, Default)]
pub(crate) struct IdentityMemo(OnceLock<(&'static str, VariantPart)>);

impl IdentityMemo {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Write the identity of the closure with this type name into the variant if required, see
    /// [`variant_part`].
    #[inline]
    pub(crate) fn enter(&self, closure: &'static str, site: &ReadInfo, variant: &mut Vec<u8>) {
        match self.0.get() {
            Some((known, None)) if std::ptr::eq(*known, closure) => {}
            _ => self.enter_slowly(closure, site, variant),
        }
    }

    #[cold]
    #[inline(never)]
    fn enter_slowly(&self, closure: &'static str, site: &ReadInfo, variant: &mut Vec<u8>) {
        let (known, first) = self
            .0
            .get_or_init(|| (closure, variant_part(closure, site)));
        let own;
        let bytes = match *known == closure {
            true => first,
            false => {
                own = variant_part(closure, site);
                &own
            }
        };
        if let Some(bytes) = bytes {
            variant.extend_from_slice(bytes);
        }
    }
}

/// Return the part of this instance's identity that enters the variant:
///
/// * Its name, if the function has type or const parameters. An item inside the function can't see
///   the parameters around it, so that item's name is the same in all instances. If the closure's
///   name differs from it, there are parameters: those of the function and of its `impl`, and
///   `Self` in a trait.
/// * Its name, if the name contains type arguments: `Repo<u8>::load`.
/// * Its name, if no key is written and the path `crate:module:function` isn't the whole name.
/// * Its source position too, if no key is written and another such function has the same name: two
///   blocks of one function can each have a `fn get`, and each a `struct Local`.
#[cold]
fn variant_part(closure: &str, site: &ReadInfo) -> VariantPart {
    let instance = identity(closure, site.companion, site.function);
    let declared = declared(site);
    let keyless = site.template.is_empty();
    let place = if keyless {
        position_among_namesakes(site, &declared)
    } else {
        None
    };
    let plain = instance == format!("{}::{}", site.module, site.function);
    let shown = !plain && (keyless || instance != declared || has_arguments(&instance));
    if !shown && place.is_none() {
        return None;
    }
    let mut bytes = Vec::new();
    push(&mut bytes, "", &instance);
    if let Some(place) = place {
        push(&mut bytes, "@", &place);
    }
    Some(bytes.into())
}

/// Append a named text in the encoding used for arguments.
fn push(bytes: &mut Vec<u8>, name: &str, text: &str) {
    let named = Canonical::named(bytes, name);
    // Writing text to memory can't fail.
    let _ = text.serialize(named);
}
