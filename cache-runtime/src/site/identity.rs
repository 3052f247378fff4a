use std::borrow::Cow;
use std::sync::OnceLock;

use serde::Serialize;

use crate::key::canonical::Canonical;
use crate::site::{ReadInfo, registry};

/// Return which instance of a function a call is in, read from the type name of a closure that the
/// attribute places there: `app::Repo<u8>::load<3>::{{closure}}`. It contains facts that the
/// attribute can't see: the `impl` around a method, and the type and const arguments of both.
pub(crate) fn identity(closure: &str, companion: &str, function: &str) -> String {
    let name = strip_lifetimes(strip_closures(closure));
    if companion.is_empty() {
        return name.into_owned();
    }
    // A companion shares its function's entries, so it uses the function's name.
    let own = format!("{function}{companion}");
    match name.rfind(&own) {
        Some(at) => format!("{}{}{}", &name[..at], function, &name[at + own.len()..]),
        None => name.into_owned(),
    }
}

fn strip_closures(mut name: &str) -> &str {
    while let Some(outer) = name.strip_suffix("::{{closure}}") {
        name = outer;
    }
    name
}

/// Remove lifetimes. They don't distinguish instances, and not every compiler prints them:
/// `load<'_, '_>`, `Repo<'_, u8>`.
fn strip_lifetimes(name: &str) -> Cow<'_, str> {
    if !name.contains("'_") {
        return name.into();
    }
    name.replace("'_, ", "").replace("<'_>", "").into()
}

/// Return whether the type name contains type or const arguments: angle brackets other than
/// `<A as B>` and `<impl A for B>`.
fn has_arguments(identity: &str) -> bool {
    let mut previous = ' ';
    for character in identity.chars() {
        let argument_list = character == '<' && (previous.is_alphanumeric() || previous == '_');
        if argument_list || matches!(character, '(' | '[' | '&' | '*' | ',') {
            return true;
        }
        previous = character;
    }
    identity.contains("dyn ")
}

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
        registry::position_among_namesakes(site, &declared)
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

/// Return the name of a call site's function without type arguments: `app::get`,
/// `<_ as app::Stat>::stat`.
pub(crate) fn declared(site: &ReadInfo) -> String {
    let marker = (site.marker)();
    let function = marker.rsplit_once("::").map_or(marker, |(outer, _)| outer);
    identity(function, site.companion, site.function)
}

/// Append a named text in the encoding used for arguments.
fn push(bytes: &mut Vec<u8>, name: &str, text: &str) {
    let named = Canonical::named(bytes, name);
    // Writing text to memory can't fail.
    let _ = text.serialize(named);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_seen_and_plain_paths_are_not() {
        for plain in [
            "app::posts::get_post",
            "app::Repo::load",
            "<app::Repo as app::Load>::load",
            "app::sub::<impl app::Repo>::load",
            "app::sub::<impl app::Load for app::Repo>::load",
        ] {
            assert!(!has_arguments(plain), "{plain}");
        }
        for generic in [
            "app::get<u8>",
            "app::Repo<u8>::load",
            "<app::Repo<u8> as app::Load>::load",
            "<app::Repo as app::Load<u8>>::load",
            "<[u8; 3] as app::Load>::load",
            "<(u8, u8) as app::Load>::load",
            "<&u8 as app::Load>::load",
            "<dyn app::Load as app::Load>::load",
        ] {
            assert!(has_arguments(generic), "{generic}");
        }
    }

    #[test]
    fn lifetimes_are_not_part_of_an_identity() {
        for (shown, identity) in [
            ("app::get", "app::get"),
            ("app::get<'_>", "app::get"),
            (
                "<app::Repo<'_> as app::Load<'_, u8>>::load<'_, '_>",
                "<app::Repo as app::Load<u8>>::load",
            ),
            (
                "app::Repo<'_, '_, u8>::load<'_, 3>",
                "app::Repo<u8>::load<3>",
            ),
        ] {
            assert_eq!(strip_lifetimes(shown), identity);
        }
    }
}
