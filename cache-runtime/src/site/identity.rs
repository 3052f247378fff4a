//! The instance of a function that a call is in, which enters the variant.

use std::borrow::Cow;

use crate::site::ReadInfo;

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
pub(crate) fn has_arguments(identity: &str) -> bool {
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

/// Return the name of a call site's function without type arguments: `app::get`,
/// `<_ as app::Stat>::stat`.
pub(crate) fn declared(site: &ReadInfo) -> String {
    let marker = (site.marker)();
    let function = marker.rsplit_once("::").map_or(marker, |(outer, _)| outer);
    identity(function, site.companion, site.function)
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
