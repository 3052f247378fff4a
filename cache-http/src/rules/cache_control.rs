//! The parser of `Cache-Control` (section 5.2).
//!
//! A caching rule that was misread in favour of caching gives one user's page to another, so
//! everything doubtful counts against caching:
//!
//! * `no-store` is obeyed wherever its letters are, even within quotes or another name.
//! * A malformed element counts as every restriction that it names, and each time in it as invalid.
//! * An invalid time of freshness is 0 (section 4.2.1).
//! * Of duplicates the strictest counts: the smallest time, and the largest `min-fresh`.
//! * `private` and `no-cache` with a list of field names that can't be read concern all fields.
//!
//! Unknown directives are ignored.

use http::header::{CACHE_CONTROL, HeaderMap, HeaderName};

use super::list;

/// Directives of a response (section 5.2.2). Times are in seconds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ResponseDirectives {
    pub(crate) max_age: Option<u32>,
    pub(crate) s_maxage: Option<u32>,
    /// RFC 5861, 3.
    pub(crate) stale_while_revalidate: Option<u32>,
    /// RFC 5861, 4.
    pub(crate) stale_if_error: Option<u32>,
    pub(crate) no_store: bool,
    pub(crate) no_cache: Scope,
    pub(crate) private: Scope,
    pub(crate) public: bool,
    pub(crate) must_revalidate: bool,
    pub(crate) proxy_revalidate: bool,
    pub(crate) must_understand: bool,
    /// RFC 8246. It tells browsers not to revalidate; a shared cache does nothing with it.
    pub(crate) immutable: bool,
}

/// Scope of `private` or `no-cache`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Scope {
    /// The directive is absent.
    #[default]
    Absent,
    /// These fields of the response.
    Fields(Vec<HeaderName>),
    /// The response.
    Whole,
}

/// Directives of a request (section 5.2.1). Times are in seconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct RequestDirectives {
    pub(crate) max_age: Option<u32>,
    pub(crate) min_fresh: Option<u32>,
    /// `u32::MAX` without a value: any staleness is accepted.
    pub(crate) max_stale: Option<u32>,
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) only_if_cached: bool,
}

impl ResponseDirectives {
    /// Read all lines of the field.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            read(line.as_bytes(), &mut directives);
        }
        directives
    }
}

impl RequestDirectives {
    /// Read all lines of the field.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            read(line.as_bytes(), &mut directives);
        }
        directives
    }
}

/// Argument of a directive.
#[derive(Clone, Copy, Debug)]
enum Argument<'a> {
    None,
    Token(&'a [u8]),
    /// With its quotes.
    Quoted(&'a [u8]),
    /// The element isn't `token`, `token=token` or `token="text"`.
    Malformed,
}

impl Argument<'_> {
    /// Return the number of seconds, if the argument is one. Both forms are accepted (section 5.2).
    fn seconds(self) -> Option<u32> {
        match self {
            Argument::Token(digits) => list::number(digits),
            Argument::Quoted(text) => list::number(&list::unquoted(text)?),
            Argument::None | Argument::Malformed => None,
        }
    }

    /// Return what `private` or `no-cache` with this argument applies to. The token form isn't the
    /// directive's syntax, so it is not trusted to narrow it (section 5.2.2.4).
    fn scope(self) -> Scope {
        let Argument::Quoted(text) = self else {
            return Scope::Whole;
        };
        let names = list::unquoted(text).and_then(|text| {
            let names = text.split(|byte| *byte == b',').map(list::trim);
            let names = names.filter(|name| !name.is_empty());
            let names = names.map(|name| HeaderName::from_bytes(name).ok());
            names.collect::<Option<Vec<_>>>()
        });
        match names {
            Some(names) if !names.is_empty() => Scope::Fields(names),
            _ => Scope::Whole,
        }
    }
}

/// Receiver of directives.
trait Directives {
    /// Obey `no-store`.
    fn no_store(&mut self);

    /// Apply a directive with its name in lower case.
    fn apply(&mut self, name: &[u8], argument: Argument<'_>);
}

/// Longest name of a directive that is known: `stale-while-revalidate`.
const LONGEST_NAME: usize = 22;

/// Read one line.
fn read(line: &[u8], directives: &mut impl Directives) {
    // On its own, so that no mistake of the parser can hide it.
    if contains_no_store(line) {
        directives.no_store();
    }
    for element in list::elements(line) {
        match element_parts(element) {
            (_, Argument::Malformed) => {
                for token in list::tokens(element) {
                    apply(token, Argument::Malformed, directives);
                }
            }
            (name, argument) => apply(name, argument, directives),
        }
    }
}

/// Return whether the letters are anywhere in the line. No directive that permits caching has them.
fn contains_no_store(line: &[u8]) -> bool {
    const NO_STORE: &[u8] = b"no-store";
    let mut places = line.windows(NO_STORE.len());
    places.any(|place| place.eq_ignore_ascii_case(NO_STORE))
}

/// Apply a directive whose name is in any case.
fn apply(name: &[u8], argument: Argument<'_>, directives: &mut impl Directives) {
    // A configuration that writes a value in single quotes sends them.
    let name = trim_quotes(name);
    let mut lower = [0; LONGEST_NAME];
    if let Some(lower) = lower.get_mut(..name.len()) {
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        directives.apply(lower, argument);
    }
}

/// Return the name without single quotes around it, which a token may have.
fn trim_quotes(name: &[u8]) -> &[u8] {
    let name = name.strip_prefix(b"'").unwrap_or(name);
    name.strip_suffix(b"'").unwrap_or(name)
}

/// Split an element into its name and its argument.
fn element_parts(element: &[u8]) -> (&[u8], Argument<'_>) {
    let end = element.iter().position(|byte| !list::is_token_byte(*byte));
    let Some(end) = end else {
        return (element, Argument::None);
    };
    let (name, rest) = element.split_at(end);
    let argument = match rest {
        _ if name.is_empty() => Argument::Malformed,
        [b'=', token @ ..]
            if !token.is_empty() && token.iter().all(|b| list::is_token_byte(*b)) =>
        {
            Argument::Token(token)
        }
        [b'=', text @ ..] if list::unquoted(text).is_some() => Argument::Quoted(text),
        _ => Argument::Malformed,
    };
    (name, argument)
}

/// Take the smaller time. An invalid one is 0.
fn limit(time: &mut Option<u32>, argument: Argument<'_>) {
    let seconds = argument.seconds().unwrap_or(0);
    *time = Some(time.map_or(seconds, |time| time.min(seconds)));
}

/// Take the wider scope.
fn widen(scope: &mut Scope, argument: Argument<'_>) {
    match (&mut *scope, argument.scope()) {
        (Scope::Fields(names), Scope::Fields(more)) => names.extend(more),
        (Scope::Whole, _) => {}
        (scope, wider) => *scope = wider,
    }
}

impl Directives for ResponseDirectives {
    fn no_store(&mut self) {
        self.no_store = true;
    }

    fn apply(&mut self, name: &[u8], argument: Argument<'_>) {
        match name {
            b"max-age" => limit(&mut self.max_age, argument),
            b"s-maxage" => limit(&mut self.s_maxage, argument),
            b"stale-while-revalidate" => limit(&mut self.stale_while_revalidate, argument),
            b"stale-if-error" => limit(&mut self.stale_if_error, argument),
            b"no-cache" => widen(&mut self.no_cache, argument),
            b"private" => widen(&mut self.private, argument),
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            // These permit something, so they must be well-formed.
            b"public" => self.public |= matches!(argument, Argument::None),
            b"immutable" => self.immutable |= matches!(argument, Argument::None),
            _ => {}
        }
    }
}

impl Directives for RequestDirectives {
    fn no_store(&mut self) {
        self.no_store = true;
    }

    fn apply(&mut self, name: &[u8], argument: Argument<'_>) {
        match name {
            b"max-age" => limit(&mut self.max_age, argument),
            b"min-fresh" => {
                let seconds = argument.seconds().unwrap_or(u32::MAX);
                self.min_fresh = self.min_fresh.max(Some(seconds));
            }
            b"max-stale" => match argument {
                Argument::None => _ = self.max_stale.get_or_insert(u32::MAX),
                argument => limit(&mut self.max_stale, argument),
            },
            b"no-cache" => self.no_cache = true,
            b"only-if-cached" => self.only_if_cached = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let lines = lines.iter().map(|line| {
            let value = HeaderValue::from_bytes(line).expect("a valid field value");
            (CACHE_CONTROL, value)
        });
        lines.collect()
    }

    fn response(line: &str) -> ResponseDirectives {
        ResponseDirectives::of(&headers(&[line.as_bytes()]))
    }

    fn request(line: &str) -> RequestDirectives {
        RequestDirectives::of(&headers(&[line.as_bytes()]))
    }

    #[test]
    fn a_response_may_have_every_directive() {
        let directives = response(
            "max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, no-store, \
             no-cache, private, public, must-revalidate, proxy-revalidate, must-understand, \
             immutable",
        );
        let expected = ResponseDirectives {
            max_age: Some(1),
            s_maxage: Some(2),
            stale_while_revalidate: Some(3),
            stale_if_error: Some(4),
            no_store: true,
            no_cache: Scope::Whole,
            private: Scope::Whole,
            public: true,
            must_revalidate: true,
            proxy_revalidate: true,
            must_understand: true,
            immutable: true,
        };
        assert_eq!(directives, expected);
    }

    #[test]
    fn a_request_may_have_every_directive() {
        let line = "max-age=1, min-fresh=2, max-stale=3, no-store, no-cache, only-if-cached";
        let expected = RequestDirectives {
            max_age: Some(1),
            min_fresh: Some(2),
            max_stale: Some(3),
            no_store: true,
            no_cache: true,
            only_if_cached: true,
        };
        assert_eq!(request(line), expected);
        assert_eq!(request("max-stale").max_stale, Some(u32::MAX));
        assert_eq!(request(""), RequestDirectives::default());
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert!(response("No-StOrE").no_store);
        assert_eq!(response("MAX-Age=60").max_age, Some(60));
        assert_eq!(response("PRIVATE").private, Scope::Whole);
    }

    #[test]
    fn all_lines_count() {
        let directives = ResponseDirectives::of(&headers(&[b"max-age=60", b"", b"private"]));
        assert_eq!(directives.max_age, Some(60));
        assert_eq!(directives.private, Scope::Whole);
    }

    #[test]
    fn the_strictest_of_duplicates_counts() {
        assert_eq!(response("max-age=1800, max-age=1").max_age, Some(1));
        assert_eq!(response("max-age=1, max-age=1800").max_age, Some(1));
        assert_eq!(response("max-age=1800, max-age=x").max_age, Some(0));
        let two = headers(&[b"s-maxage=60", b"s-maxage=30"]);
        assert_eq!(ResponseDirectives::of(&two).s_maxage, Some(30));
        assert_eq!(request("min-fresh=1, min-fresh=5").min_fresh, Some(5));
        assert_eq!(request("max-stale, max-stale=5").max_stale, Some(5));
        assert_eq!(request("max-stale=5, max-stale").max_stale, Some(5));
    }

    #[test]
    fn a_time_may_be_quoted_and_may_be_too_large() {
        assert_eq!(response(r#"max-age="60""#).max_age, Some(60));
        assert_eq!(response("max-age=003600").max_age, Some(3600));
        assert_eq!(response("max-age=99999999999").max_age, Some(u32::MAX));
    }

    #[test]
    fn an_invalid_time_is_zero() {
        for line in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age=a60",
            "max-age=60a",
            "max-age='60'",
            "max-age =60",
            "max-age= 60",
            "max-age=\"60",
            "max-age=60;x=1",
            "max-age=\"60\"x",
            "foo max-age=60",
        ] {
            assert_eq!(response(line).max_age, Some(0), "{line}");
        }
        assert_eq!(request("min-fresh=x").min_fresh, Some(u32::MAX));
        assert_eq!(request("max-stale=x").max_stale, Some(0));
    }

    #[test]
    fn a_time_in_quotes_of_another_directive_does_not_count() {
        assert_eq!(response(r#"x="max-age=3600", max-age=1"#).max_age, Some(1));
        assert_eq!(
            response(r#"max-age=3600, x="max-age=1""#).max_age,
            Some(3600)
        );
        assert_eq!(response(r#"x="a, private""#).private, Scope::Absent);
    }

    #[test]
    fn unknown_directives_are_ignored() {
        let directives = response("foo, bar=1, baz=\"2\", stale-while-revalidates=9, max-age=60");
        let expected = ResponseDirectives {
            max_age: Some(60),
            ..Default::default()
        };
        assert_eq!(directives, expected);
    }

    #[test]
    fn private_and_no_cache_may_name_fields() {
        let names = |names: &[&'static str]| {
            let names = names.iter().map(|name| HeaderName::from_static(name));
            Scope::Fields(names.collect())
        };
        assert_eq!(response(r#"private="X-User""#).private, names(&["x-user"]));
        assert_eq!(response(r#"no-cache="a, b""#).no_cache, names(&["a", "b"]));
        let twice = response(r#"no-cache="a", no-cache="b""#).no_cache;
        assert_eq!(twice, names(&["a", "b"]));
    }

    #[test]
    fn a_list_of_names_that_cannot_be_read_concerns_the_whole_response() {
        for line in [
            "private",
            "private=x-user",
            "private=\"\"",
            "private=\"a b\"",
            "private=\"a",
            "private=\"a\"b",
            "private=\"a\", private",
            "private, private=\"a\"",
        ] {
            assert_eq!(response(line).private, Scope::Whole, "{line}");
        }
    }

    #[test]
    fn a_malformed_element_counts_as_the_restrictions_in_it() {
        for line in [
            "public; private",
            "max-age=60 private",
            "x=1;private",
            "=, private",
            "=private",
        ] {
            let directives = response(line);
            assert_eq!(directives.private, Scope::Whole, "{line}");
            assert!(!directives.public, "{line}");
        }
        assert!(response("max-age=60; must-revalidate").must_revalidate);
        assert!(!response("public=1").public);
    }

    #[test]
    fn no_store_is_obeyed_within_quotes_and_garbage() {
        for line in [
            "max-age=x, no-store",
            "\"no-store",
            "x=\"a, no-store",
            "x=\"no-store\"",
            "no-store=1",
            "max-age=60;no-store",
            "\\no-store\\",
            "'no-store'",
            "max-age=60no-store",
        ] {
            assert!(response(line).no_store, "{line}");
            assert!(request(line).no_store, "{line}");
        }
        for line in ["no_store", "no-stor", "no-, store", "o-store"] {
            assert!(!response(line).no_store, "{line}");
        }
    }

    #[test]
    fn single_quotes_around_a_value_hide_nothing() {
        let directives = response("'private, max-age=60'");
        assert_eq!(directives.private, Scope::Whole);
        assert_eq!(directives.max_age, Some(0));
        assert_eq!(response("'x, private'").private, Scope::Whole);
    }

    /// Bytes that a field value may have.
    fn field_bytes() -> impl Strategy<Value = Vec<u8>> {
        let parts = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            Just(b"\"".to_vec()),
            Just(b"\\".to_vec()),
            Just(b",".to_vec()),
            Just(b"=".to_vec()),
            Just(b"max-age=".to_vec()),
            Just(b"private=\"".to_vec()),
            Just(b"99999999999999999999".to_vec()),
        ];
        proptest::collection::vec(parts, 0..24).prop_map(|parts| {
            let mut bytes = parts.concat();
            bytes.retain(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
            bytes
        })
    }

    /// A text in a random mix of cases.
    fn any_case(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(any::<bool>(), text.len()).prop_map(move |upper| {
            let bytes = text.bytes().zip(upper);
            let bytes = bytes.map(|(byte, upper)| match upper {
                true => byte.to_ascii_uppercase(),
                false => byte,
            });
            bytes.collect()
        })
    }

    proptest! {
        #[test]
        fn no_store_is_obeyed_whatever_surrounds_it(
            mut before in field_bytes(),
            after in field_bytes(),
            other in field_bytes(),
            name in any_case("no-store"),
        ) {
            before.extend(name);
            before.extend(after);
            for lines in [[&before[..], &other], [&other[..], &before]] {
                let headers = headers(&lines);
                prop_assert!(ResponseDirectives::of(&headers).no_store);
                prop_assert!(RequestDirectives::of(&headers).no_store);
            }
        }

        #[test]
        fn private_is_obeyed_behind_whatever_is_not_quoted(
            mut before in field_bytes(),
            after in field_bytes(),
            name in any_case("private"),
        ) {
            before.retain(|byte| *byte != b'"');
            before.push(b',');
            before.extend(name);
            before.push(b',');
            before.extend(after);
            let directives = ResponseDirectives::of(&headers(&[&before]));
            prop_assert_eq!(directives.private, Scope::Whole);
        }

        #[test]
        fn more_directives_never_permit_more(one in field_bytes(), two in field_bytes()) {
            let alone = ResponseDirectives::of(&headers(&[&one]));
            let both = ResponseDirectives::of(&headers(&[&one, &two]));
            let stricter = |both: Option<u32>, alone: Option<u32>| {
                alone.is_none_or(|alone| both.is_some_and(|both| both <= alone))
            };
            prop_assert!(stricter(both.max_age, alone.max_age));
            prop_assert!(stricter(both.s_maxage, alone.s_maxage));
            prop_assert!(both.no_store >= alone.no_store);
            prop_assert!(alone.private != Scope::Whole || both.private == Scope::Whole);
        }
    }
}
