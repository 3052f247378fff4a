//! The names that a pattern binds.

use syn::{Ident, Pat};

/// Call `found` for every name that `pat` binds, in source order.
pub(crate) fn each<'a>(pat: &'a Pat, found: &mut impl FnMut(&'a Ident)) {
    match pat {
        Pat::Ident(pat) => {
            found(&pat.ident);
            if let Some((_, inner)) = &pat.subpat {
                each(inner, found);
            }
        }
        Pat::Tuple(pat) => pat.elems.iter().for_each(|pat| each(pat, found)),
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|pat| each(pat, found)),
        Pat::Struct(pat) => pat.fields.iter().for_each(|field| each(&field.pat, found)),
        Pat::Slice(pat) => pat.elems.iter().for_each(|pat| each(pat, found)),
        Pat::Reference(pat) => each(&pat.pat, found),
        Pat::Paren(pat) => each(&pat.pat, found),
        Pat::Type(pat) => each(&pat.pat, found),
        Pat::Guard(pat) => each(&pat.pat, found),
        // Every case of an or-pattern binds the same names.
        Pat::Or(pat) => pat.cases.iter().take(1).for_each(|pat| each(pat, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::each;
    use syn::Pat;
    use syn::parse::Parser as _;

    fn names(text: &str) -> Vec<String> {
        let pat = Pat::parse_multi.parse_str(text).expect("a pattern");
        let mut names = Vec::new();
        each(&pat, &mut |ident| names.push(ident.to_string()));
        names
    }

    #[test]
    fn the_bindings_of_every_form_of_pattern_are_found() {
        assert_eq!(names("(a, (mut b, _), ..)"), ["a", "b"]);
        assert_eq!(names("Path(slug)"), ["slug"]);
        assert_eq!(names("Filter { page, size: ref s, .. }"), ["page", "s"]);
        assert_eq!(names("[first, rest @ ..]"), ["first", "rest"]);
        assert_eq!(names("whole @ &(x, y)"), ["whole", "x", "y"]);
        assert_eq!(names("Ok(v) | Err(v)"), ["v"]);
        assert!(names("_").is_empty());
    }
}
