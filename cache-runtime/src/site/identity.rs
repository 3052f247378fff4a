use std::borrow::Cow;
use std::sync::OnceLock;

use serde::Serialize;

use crate::key::canonical::Canonical;
use crate::site::{ReadInfo, registry};

/// Which instance of a function a call is in, read from the type name of a closure that the attribute puts
/// there: `app::Repo<u8>::load<3>::{{closure}}`. It shows what the attribute can't see: the `impl` around a
/// method, and the type and const arguments of both.
pub(crate) fn identity(closure: &str, companion: &str, function: &str) -> String {
    let name = strip_lifetimes(strip_closures(closure));
    if companion.is_empty() {
        return name.into_owned();
    }
    // A companion shares its function's entries, so it goes by the function's name.
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

/// Lifetimes are no instance of anything, and not every compiler shows them: `load<'_, '_>`, `Repo<'_, u8>`.
fn strip_lifetimes(name: &str) -> Cow<'_, str> {
    if !name.contains("'_") {
        return name.into();
    }
    name.replace("'_, ", "").replace("<'_>", "").into()
}

/// Whether the type name shows type or const arguments: anything but paths, `<A as B>` and `<impl A for B>`.
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

/// What of its instance enters the variant of a call site: nothing, or canonical bytes.
type Entering = Option<Box<[u8]>>;

/// Remembers for one call site what of its instance enters the variant. A function without type or const parameters has one
/// instance only, so the answer is a comparison away: of pointers, and of texts where the compiler has the name twice, as it does
/// where it inlines the function in several places.
#[derive(Debug, Default)]
pub(crate) struct IdentityMemo(OnceLock<(&'static str, Entering)>);

impl IdentityMemo {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Lets the identity of the closure with this type name enter the variant where it has to, see [`entering`].
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
        let (known, first) = self.0.get_or_init(|| (closure, entering(closure, site)));
        let own;
        let bytes = match *known == closure {
            true => first,
            false => {
                own = entering(closure, site);
                &own
            }
        };
        if let Some(bytes) = bytes {
            variant.extend_from_slice(bytes);
        }
    }
}

/// Return what of the instance with this closure enters the variant:
///
/// * Its name, where the function has type or const parameters. An item inside the function can't see the parameters
///   around it, so the name of such an item is the same in all instances. Where the closure's name differs from it, there
///   are parameters: those of the function and of its `impl`, and `Self` in a trait.
/// * Its name, where the name shows type arguments: `Repo<u8>::load`.
/// * Its name, where no key is written and the path `crate:module:function` isn't the whole name.
/// * Its place in the source too, where no key is written and another such function has the same name: two blocks
///   of one function can each have a `fn get`, and each a `struct Local`.
#[cold]
fn entering(closure: &str, site: &ReadInfo) -> Entering {
    let instance = identity(closure, site.companion, site.function);
    let declared = declared(site);
    let keyless = site.template.is_empty();
    let place = if keyless {
        registry::place_among_namesakes(site, &declared)
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

/// The name of a call site's function before it gets any type arguments: `app::get`, `<_ as app::Stat>::stat`.
pub(crate) fn declared(site: &ReadInfo) -> String {
    let marker = (site.marker)();
    let function = marker.rsplit_once("::").map_or(marker, |(outer, _)| outer);
    identity(function, site.companion, site.function)
}

/// Appends a named text, as the arguments are.
fn push(bytes: &mut Vec<u8>, name: &str, text: &str) {
    let named = Canonical::named(bytes, name);
    // Writing a text to memory has no way to fail.
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
    fn lifetimes_are_no_part_of_an_identity() {
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
