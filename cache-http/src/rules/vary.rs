//! `Vary` (section 4.1): which fields of a request choose among the variants of an entry.

use http::header::{self, HeaderMap, HeaderName, VARY};

use super::list;

/// A response's `Vary`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Vary {
    /// The response fits no other request: `*`, or a name that can't be read.
    Any,
    /// The response fits requests with the same values in these fields.
    Fields(VaryingFields),
}

/// Names of request fields: in lower case, sorted, each once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct VaryingFields(Vec<HeaderName>);

impl Vary {
    /// Read all lines of the field.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(VARY).iter();
        let names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        let names = names.map(list::trim).filter(|name| !name.is_empty());
        // `*` is a token, too.
        let names = names.map(|name| match name {
            b"*" => None,
            name => HeaderName::from_bytes(name).ok(),
        });
        match names.collect::<Option<Vec<_>>>() {
            Some(names) => Vary::Fields(VaryingFields::new(names)),
            None => Vary::Any,
        }
    }
}

impl VaryingFields {
    /// Bring names into the normal form.
    pub(crate) fn new(names: impl IntoIterator<Item = HeaderName>) -> Self {
        let mut names = names.into_iter().collect::<Vec<_>>();
        names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        VaryingFields(names)
    }

    /// Return whether there are none: all requests get the same variant.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Return the number of names.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Return the names of both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).cloned())
    }

    /// Write the names as one text, separated by commas.
    pub(crate) fn encode(&self) -> String {
        let names = self.0.iter().map(HeaderName::as_str);
        names.collect::<Vec<_>>().join(",")
    }

    /// Append the variant that a request asks for: two requests with the same bytes match in these
    /// fields, and no two others have the same bytes.
    ///
    /// Several lines are joined in order, as if they were one (RFC 9110, 5.3). A field that is
    /// absent differs from an empty one.
    pub(crate) fn push_variant(&self, request: &HeaderMap, out: &mut Vec<u8>) {
        for name in &self.0 {
            // Neither a name nor a value contains a line break, and a name no colon.
            out.extend_from_slice(name.as_str().as_bytes());
            let mut before = b':';
            for line in request.get_all(name) {
                out.push(before);
                if before == b',' {
                    out.push(b' ');
                }
                push_normal(name, line.as_bytes(), out);
                before = b',';
            }
            out.push(b'\n');
        }
    }
}

/// Append a field line in a normal form that means the same (section 4.1).
///
/// Only lists whose syntax is known are changed: space beside a comma, and case where the field
/// ignores it. The order stays, since many handlers take the first language that they have.
fn push_normal(name: &HeaderName, line: &[u8], out: &mut Vec<u8>) {
    let ignores_case = matches!(
        *name,
        header::ACCEPT_CHARSET | header::ACCEPT_ENCODING | header::ACCEPT_LANGUAGE
    );
    if !ignores_case && *name != header::ACCEPT {
        return out.extend_from_slice(line);
    }
    for (nth, element) in list::elements(line).enumerate() {
        out.extend_from_slice(if nth == 0 { b"" } else { b", " });
        match ignores_case {
            true => out.extend(element.iter().map(u8::to_ascii_lowercase)),
            false => out.extend_from_slice(element),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a valid field value");
            (HeaderName::from_static(name), value)
        });
        lines.collect()
    }

    fn names(lines: &[&str]) -> Option<String> {
        let lines = lines.iter().map(|line| ("vary", *line)).collect::<Vec<_>>();
        match Vary::of(&headers(&lines)) {
            Vary::Any => None,
            Vary::Fields(fields) => Some(fields.encode()),
        }
    }

    fn variant(vary: &str, request: &[(&'static str, &str)]) -> Vec<u8> {
        let Vary::Fields(fields) = Vary::of(&headers(&[("vary", vary)])) else {
            panic!("names");
        };
        let mut out = Vec::new();
        fields.push_variant(&headers(request), &mut out);
        out
    }

    #[test]
    fn names_are_normalized_over_all_lines() {
        let expected = Some("accept,origin,x-a".to_owned());
        assert_eq!(names(&["Origin, ACCEPT", "x-a,accept,"]), expected);
        assert_eq!(names(&[]), Some(String::new()));
        assert_eq!(names(&[" , "]), Some(String::new()));
    }

    #[test]
    fn a_star_anywhere_and_unreadable_names_fit_no_other_request() {
        for lines in [
            &["*"][..],
            &["*, *"],
            &[", *"],
            &["a, *"],
            &["*", "a"],
            &["a", "*"],
        ] {
            assert_eq!(names(lines), None, "{lines:?}");
        }
        for line in ["a b", "\"a\"", "a;b", "é"] {
            assert_eq!(names(&[line]), None, "{line}");
        }
    }

    #[test]
    fn names_of_the_route_and_of_the_response_are_put_together() {
        let fields = |text: &'static str| {
            let names = text.split(',').filter(|name| !name.is_empty());
            VaryingFields::new(names.map(HeaderName::from_static))
        };
        let both = fields("b,c").and(&fields("a,b"));
        assert_eq!(both.encode(), "a,b,c");
        assert!(fields("").and(&fields("")).is_empty());
    }

    #[test]
    fn requests_match_if_all_varying_fields_do() {
        let one = variant("a, b", &[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(one, variant("B, A", &[("c", "4"), ("b", "2"), ("a", "1")]));
        for other in [
            &[("a", "1")][..],
            &[("b", "2")],
            &[("a", "2"), ("b", "1")],
            &[],
        ] {
            assert_ne!(one, variant("a, b", other), "{other:?}");
        }
        assert_eq!(variant("a", &[]), variant("a", &[("b", "1")]));
        // Two processes may know of different fields.
        assert_ne!(variant("a", &[("a", "1")]), variant("b", &[("b", "1")]));
    }

    #[test]
    fn absent_differs_from_empty() {
        assert_ne!(variant("a", &[]), variant("a", &[("a", "")]));
    }

    #[test]
    fn several_lines_are_one_in_order() {
        let one = variant("a", &[("a", "1, 2")]);
        assert_eq!(one, variant("a", &[("a", "1"), ("a", "2")]));
        assert_ne!(one, variant("a", &[("a", "2"), ("a", "1")]));
    }

    #[test]
    fn space_and_case_are_ignored_where_the_field_does() {
        let of = |name, value| variant("accept, accept-language, x", &[(name, value)]);
        let language = of("accept-language", "en, de");
        assert_eq!(language, of("accept-language", "eN ,De"));
        assert_ne!(language, of("accept-language", "de, en"));
        assert_ne!(language, of("accept-language", "ende"));
        assert_eq!(
            of("accept", "text/html,*/*"),
            of("accept", "text/html , */*")
        );
        assert_ne!(of("accept", "a/b;v=X"), of("accept", "a/b;v=x"));
        assert_ne!(of("x", "1,2"), of("x", "1, 2"));
    }

    proptest! {
        #[test]
        fn different_values_are_different_variants(
            one in proptest::option::of("[ -~]{0,6}"),
            two in proptest::option::of("[ -~]{0,6}"),
            other in proptest::option::of("[ -~]{0,6}"),
            another in proptest::option::of("[ -~]{0,6}"),
        ) {
            let request = |a: &Option<String>, b: &Option<String>| {
                let mut lines = Vec::new();
                lines.extend(a.as_deref().map(|value| ("a", value)));
                lines.extend(b.as_deref().map(|value| ("b", value)));
                variant("a, b", &lines)
            };
            let same = (&one, &two) == (&other, &another);
            prop_assert_eq!(request(&one, &two) == request(&other, &another), same);
        }
    }
}
