//! Types whose serde form is unsuitable for a key, recognized by their written name.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

/// Why a value must not be hashed through `Serialize`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SerdeHazard {
    /// Its elements are serialized in an order that differs from set to set, so equal sets would
    /// get different keys.
    Order,
    /// It may serialize to the same text for all values, so all values would get one key.
    Masked,
}

/// The first words of the names of types that hide their content.
const HIDING: &[&str] = &[
    "Secret",
    "Redacted",
    "Redact",
    "Masked",
    "Sensitive",
    "Confidential",
    "Obfuscated",
    "Censored",
];

/// The possible rest of such a name: the kind of content. A `SecretBox` holds a secret; a
/// `SecretId` or a `MaskedImage` may not.
const HELD: &[&str] = &[
    "", "Box", "Bytes", "Data", "Slice", "Str", "String", "Text", "Value", "Vec",
];

impl SerdeHazard {
    /// Find the first hazard anywhere in a type.
    pub(crate) fn of(ty: &impl ToTokens) -> Option<Self> {
        Self::in_tokens(ty.to_token_stream())
    }

    fn in_tokens(tokens: TokenStream) -> Option<Self> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(ident) => Self::of_name(&ident.to_string()),
            TokenTree::Group(group) => Self::in_tokens(group.stream()),
            _ => None,
        })
    }

    fn of_name(name: &str) -> Option<Self> {
        let hides = |first: &str| {
            let rest = name.strip_prefix(first);
            rest.is_some_and(|rest| HELD.contains(&rest))
        };
        if HIDING.iter().any(|first| hides(first)) {
            Some(Self::Masked)
        } else if name.ends_with("HashSet") || name == "DashSet" {
            Some(Self::Order)
        } else {
            None
        }
    }

    /// The label of the compiler's message, about `{Self}`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Order => {
                "`{Self}` serializes its elements in a random order, so the key would differ in each call"
            }
            Self::Masked => {
                "`{Self}` may hide its value from serde, so all values would share one entry"
            }
        }
    }

    /// How to fix the key.
    pub(crate) fn fix(self) -> &'static str {
        match self {
            Self::Order => {
                "use a `BTreeSet`; or derive `cache_runtime::CacheKey` for the element type and \
                 for each type that contains the set"
            }
            Self::Masked => {
                "derive or implement `cache_runtime::CacheKey` for the type, if the key needs the \
                 value: it then contains a hash, not the value itself"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SerdeHazard;

    #[test]
    fn hazards_are_recognized_by_type_names() {
        for (ty, hazard) in [
            ("HashSet<String>", Some(SerdeHazard::Order)),
            ("&std::collections::HashSet<u32>", Some(SerdeHazard::Order)),
            ("HashMap<u32, Vec<HashSet<u32>>>", Some(SerdeHazard::Order)),
            ("FxHashSet<u8>", Some(SerdeHazard::Order)),
            ("BTreeSet<String>", None),
            ("HashMap<u32, u32>", None),
            ("SecretString", Some(SerdeHazard::Masked)),
            (
                "Option<&secrecy::SecretBox<str>>",
                Some(SerdeHazard::Masked),
            ),
            ("Secret<String>", Some(SerdeHazard::Masked)),
            ("Redacted<Token>", Some(SerdeHazard::Masked)),
            ("SecretId", None),
            ("Secretary", None),
            ("MaskedImage", None),
            ("Sensitivity", None),
        ] {
            let parsed: syn::Type = syn::parse_str(ty).expect("a type");
            assert_eq!(SerdeHazard::of(&parsed), hazard, "{ty}");
        }
    }
}
