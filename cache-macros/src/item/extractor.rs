//! Arguments that web frameworks pass: wrappers around the argument proper, and whole requests.
//! Recognized by their written name, for the advice in a compile error.

use quote::ToTokens;
use syn::{GenericArgument, Ident, Pat, PathArguments, Type, TypePath};

/// The replacement for an argument that can't be hashed as it is.
pub(crate) enum Extractor {
    /// A wrapper that can be taken apart in the signature: `Query(query): Query<ListQuery>`.
    Wrapper { written: String },
    /// A value of many parts, of which the result depends on a few. The expression reads one.
    Whole { part: &'static str },
}

/// Wrappers with one public field.
const WRAPPERS: &[&str] = &[
    "Extension",
    "Form",
    "Header",
    "Host",
    "Json",
    "Path",
    "Qs",
    "Query",
    "TypedHeader",
    "Valid",
];

/// Types of many parts, each with the end of an expression that reads one part.
const WHOLES: &[(&str, &str)] = &[
    (
        "HeaderMap",
        ".get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())",
    ),
    ("HttpRequest", ".uri()"),
    ("Parts", ".uri"),
    ("Request", ".uri()"),
];

impl Extractor {
    /// Recognize the argument `pat: ty`.
    pub(crate) fn of(pat: &Pat, ty: &Type) -> Option<Self> {
        let Pat::Ident(pat) = pat else { return None };
        let path = path_of(ty)?;
        let segments = &path.path.segments;
        let last = segments.last()?;
        let name = last.ident.to_string();
        if let Some((_, part)) = WHOLES.iter().find(|(whole, _)| name == *whole) {
            return Some(Self::Whole { part });
        }
        // The field of actix-web's `web::Path` is private.
        let is_private = name == "Path" && segments.iter().any(|part| part.ident == "web");
        if is_private || !WRAPPERS.contains(&name.as_str()) || !has_one_type(&last.arguments) {
            return None;
        }
        let constructor: Vec<String> = segments.iter().map(|part| part.ident.to_string()).collect();
        let (constructor, ident) = (constructor.join("::"), &pat.ident);
        let written = format!("{constructor}({ident}): {}", written(ty));
        Some(Self::Wrapper { written })
    }

    /// The note of the compiler's message, about the argument `ident`.
    pub(crate) fn note(&self, ident: &Ident) -> String {
        match self {
            Self::Wrapper { written } => format!(
                "take it apart in the signature, so that its content is hashed: `{written}`; or name \
                 in the key what the result depends on, such as `<<{ident}.page>>`; or, only if \
                 the result doesn't depend on it, add `skip({ident})` to the attribute"
            ),
            Self::Whole { part } => format!(
                "name in the key what the result depends on, such as `<<{ident}{part}>>`; or pass \
                 that part as an argument instead; or, only if the result doesn't depend on it, \
                 add `skip({ident})` to the attribute"
            ),
        }
    }
}

/// The path of a type, also behind references.
fn path_of(ty: &Type) -> Option<&TypePath> {
    match ty {
        Type::Path(path) => Some(path),
        Type::Reference(reference) => path_of(&reference.elem),
        Type::Group(group) => path_of(&group.elem),
        Type::Paren(paren) => path_of(&paren.elem),
        _ => None,
    }
}

fn has_one_type(arguments: &PathArguments) -> bool {
    let PathArguments::AngleBracketed(generics) = arguments else {
        return false;
    };
    generics.args.len() == 1 && matches!(generics.args.first(), Some(GenericArgument::Type(_)))
}

/// A type as a person writes it: its tokens print with a space between any two.
fn written(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Extractor;
    use quote::format_ident;
    use syn::parse::Parser as _;
    use syn::{Pat, Type};

    fn note(pat: &str, ty: &str) -> Option<String> {
        let pat = Pat::parse_single.parse_str(pat).expect("a pattern");
        let ty: Type = syn::parse_str(ty).expect("a type");
        let extractor = Extractor::of(&pat, &ty)?;
        Some(extractor.note(&format_ident!("q")))
    }

    #[test]
    fn wrappers_are_taken_apart_as_they_are_written() {
        for (ty, written) in [
            ("Query<ListQuery>", "`Query(q): Query<ListQuery>`"),
            (
                "&axum::extract::Query<HashMap<String, u32>>",
                "`axum::extract::Query(q): &axum::extract::Query<HashMap<String, u32>>`",
            ),
            ("web::Query<Page>", "`web::Query(q): web::Query<Page>`"),
            ("Path<(u32, String)>", "`Path(q): Path<(u32, String)>`"),
        ] {
            let note = note("q", ty).expect(ty);
            assert!(note.contains(written), "{note}");
            let skip = note.find("skip(q)").expect("the last hint");
            assert!(note.find(written) < Some(skip), "{note}");
        }
    }

    #[test]
    fn requests_need_an_expression() {
        for (ty, part) in [
            ("HeaderMap", "`<<q.get(ACCEPT_LANGUAGE)"),
            ("&http::HeaderMap", "`<<q.get(ACCEPT_LANGUAGE)"),
            ("Request<Body>", "`<<q.uri()>>`"),
            ("HttpRequest", "`<<q.uri()>>`"),
        ] {
            let note = note("q", ty).expect(ty);
            assert!(note.contains(part), "{note}");
        }
    }

    #[test]
    fn other_arguments_have_no_such_advice() {
        assert!(note("Query(q)", "Query<ListQuery>").is_none());
        for ty in ["&Db", "State<Db>", "Query", "web::Path<u32>", "[u8; 4]"] {
            assert!(note("q", ty).is_none(), "{ty}");
        }
    }
}
