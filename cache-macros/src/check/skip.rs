//! Checks of `skip(..)`.

use crate::diagnostics::errors::Errors;
use crate::item::signature::Facts;
use crate::template::Template;
use syn::Ident;
use syn::ext::IdentExt as _;

pub(crate) fn check(skip: &[Ident], key: Option<&Template>, facts: &Facts, errors: &mut Errors) {
    for (place, ident) in skip.iter().enumerate() {
        let name = ident.unraw().to_string();
        let in_key = key
            .iter()
            .flat_map(|key| key.placeholders())
            .find(|placeholder| placeholder.uses(&name));
        let is_self = name == "self";
        let mistake = if is_self && !facts.has_receiver {
            Some("this function takes no `self`: remove `self` from `skip`".to_owned())
        } else if !is_self && !facts.has_argument(&name) {
            let known = super::arguments(&name, facts);
            Some(format!("`skip({name})` names no argument{known}"))
        } else if facts.is_ambiguous(&name) {
            Some(format!(
                "`skip({name})` could mean either of two arguments named `{name}`, one of a macro \
                 and one of its caller: rename one of them"
            ))
        } else if skip[..place].contains(ident) {
            Some(format!("`{name}` is skipped twice: remove one of them"))
        } else {
            in_key.map(|placeholder| {
                format!(
                    "`{name}` is skipped, but the key uses it in `<<{}>>`: remove it from one of \
                     the two",
                    placeholder.source
                )
            })
        };
        if let Some(mistake) = mistake {
            errors.at(ident.span(), mistake);
        }
    }
}
