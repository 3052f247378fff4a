use std::borrow::Cow;
use std::sync::OnceLock;

use crate::site::ReadInfo;

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

/// Remembers for one call site whether its instance enters the variant. A function without type or const parameters has one
/// instance only, so the answer is a comparison away: of pointers, and of texts where the compiler has the name twice, as it does
/// where it inlines the function in several places.
#[derive(Debug, Default)]
pub(crate) struct IdentityMemo(OnceLock<(&'static str, bool)>);

impl IdentityMemo {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Whether the identity of the closure with this type name enters the variant: always where arguments show; and
    /// where no key is written, whenever the path `crate:module:function` isn't the whole name.
    #[inline]
    pub(crate) fn enters(&self, closure: &'static str, site: &ReadInfo) -> bool {
        match self.0.get() {
            Some(&(known, enters)) if std::ptr::eq(known, closure) => enters,
            _ => self.enters_slowly(closure, site),
        }
    }

    #[cold]
    #[inline(never)]
    fn enters_slowly(&self, closure: &'static str, site: &ReadInfo) -> bool {
        let (known, enters) = *self.0.get_or_init(|| (closure, judge(closure, site)));
        match known == closure {
            true => enters,
            false => judge(closure, site),
        }
    }
}

#[cold]
fn judge(closure: &str, site: &ReadInfo) -> bool {
    let identity = identity(closure, site.companion, site.function);
    let plain = identity == format!("{}::{}", site.module, site.function);
    !plain && (site.template.is_empty() || has_arguments(&identity))
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
