//! Which entry a request asks for: the parts of its URI that keys and variants are made of.
//!
//! Two requests may share an entry only if no handler can tell them apart by these parts. Anything
//! that handlers read in different ways, such as an escape that isn't one, is a bypass: a router
//! that replaces bad bytes would answer both requests, and the second would get the first's page.

use std::borrow::Cow;

use http::header::{HOST, HeaderMap};
use http::uri::{Authority, Scheme, Uri};

/// Why no key can be made of a request. It goes to its handler alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unkeyable {
    /// A `%` without two hexadecimal digits after it.
    Escape,
    /// Decoded bytes that aren't UTF-8.
    Utf8,
    /// A host that can't be read, or two that differ.
    Host,
    /// A query parameter that the key names, with several values.
    Repeated,
}

impl Unkeyable {
    /// Return the reason as a token, for metrics and logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Unkeyable::Escape => "bad-escape",
            Unkeyable::Utf8 => "bad-utf-8",
            Unkeyable::Host => "bad-host",
            Unkeyable::Repeated => "repeated-parameter",
        }
    }
}

/// The path of a URI.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Path<'a> {
    raw: &'a str,
    segments: Vec<Cow<'a, str>>,
}

impl<'a> Path<'a> {
    /// Split a path at its slashes, and decode each segment: `%2F` is a slash within one. `.` and
    /// `..` are segments like others, as they are for routers.
    ///
    /// # Errors
    ///
    /// [`Unkeyable::Escape`] and [`Unkeyable::Utf8`].
    pub(crate) fn parse(raw: &'a str) -> Result<Self, Unkeyable> {
        let segments = raw.strip_prefix('/').unwrap_or(raw).split('/');
        let segments = segments.map(|segment| decoded(segment, Plus::IsPlus));
        Ok(Path {
            raw,
            segments: segments.collect::<Result<_, _>>()?,
        })
    }

    /// Return the decoded segments. `/` has one empty segment; so has the end of `/posts/`.
    pub(crate) fn segments(&self) -> &[Cow<'a, str>] {
        &self.segments
    }

    /// Return the path as it was sent, if it isn't written as usual: an escape that isn't needed,
    /// such as `%61`, or one in lower case.
    ///
    /// It belongs into the variant. The decoded segments are the same as those of the usual form,
    /// but routers compare what was sent: `/%61bout` may be answered by a fallback, whose page must
    /// not become that of `/about`.
    pub(crate) fn unusual(&self) -> Option<&'a str> {
        (!is_usual(self.raw)).then_some(self.raw)
    }
}

/// Check that each segment of a path can be decoded, see [`Path::parse`].
///
/// # Errors
///
/// [`Unkeyable::Escape`] and [`Unkeyable::Utf8`].
pub(crate) fn check(path: &str) -> Result<(), Unkeyable> {
    match path.contains('%') {
        true => Path::parse(path).map(drop),
        false => Ok(()),
    }
}

/// Return the path of an entry: a root, such as `http`, and the segments of a URI's path, escaped.
pub(crate) fn path_below(root: &str, segments: &[impl AsRef<str>]) -> String {
    let mut path = String::new();
    push_path_below(root, segments, &mut path);
    path
}

/// Append the path of an entry.
pub(crate) fn push_path_below(root: &str, segments: &[impl AsRef<str>], out: &mut String) {
    out.push_str(root);
    for segment in segments {
        out.push(':');
        push_escaped(segment.as_ref(), out);
    }
}

/// Append a value of a key's path, escaped.
pub(crate) fn push_escaped(text: &str, out: &mut String) {
    // None of these bytes is escaped.
    match text.bytes().all(is_unreserved) {
        true => out.push_str(text),
        false => out.push_str(&cache_runtime::escape(text)),
    }
}

/// Return whether each byte is escaped only if it must be, and then in upper case (RFC 3986, 6.2.2).
fn is_usual(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let is_usual = match byte {
            b'/' => true,
            b'%' => {
                let (high, low) = (bytes.next().unwrap_or(0), bytes.next().unwrap_or(0));
                let is_upper = !high.is_ascii_lowercase() && !low.is_ascii_lowercase();
                let escaped = hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low);
                is_upper && escaped.is_some_and(|escaped| !is_path_byte(escaped))
            }
            byte => is_path_byte(byte),
        };
        if !is_usual {
            return false;
        }
    }
    true
}

/// Return whether a segment of a path has the byte unescaped (`pchar`, RFC 3986, 3.3).
fn is_path_byte(byte: u8) -> bool {
    let is_delimiter = b"!$&'()*+,;=:@".contains(&byte);
    is_unreserved(byte) || is_delimiter
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Which parameters of the query choose the variant.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum QueryFilter {
    /// All.
    #[default]
    All,
    /// Only these.
    Only(Vec<String>),
    /// All but these. In a name, `*` stands for any text.
    Ignore(Vec<String>),
}

impl QueryFilter {
    /// Return whether the parameter chooses the variant.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        match self {
            QueryFilter::All => true,
            QueryFilter::Only(names) => names.iter().any(|known| known == name),
            QueryFilter::Ignore(patterns) => !patterns.iter().any(|pattern| matches(pattern, name)),
        }
    }
}

/// Return whether a text matches a pattern, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    // The first place where a part is found leaves the most for those after it.
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

/// The query of a URI: parameters by name. Those of one name stay in order, since handlers take the
/// first of them, or the last.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Query<'a>(Vec<Parameter<'a>>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Parameter<'a> {
    name: Cow<'a, str>,
    /// `None` without a `=`.
    value: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    /// Split and decode a query as forms are: `+` is a space. Only the parameters that `keeps`
    /// accepts by name are kept, and only their values need be valid.
    ///
    /// # Errors
    ///
    /// [`Unkeyable::Escape`] and [`Unkeyable::Utf8`].
    pub(crate) fn parse(
        raw: Option<&'a str>,
        keeps: impl Fn(&str) -> bool,
    ) -> Result<Self, Unkeyable> {
        let mut parameters = Vec::new();
        let Some(raw) = raw else {
            return Ok(Query(parameters));
        };
        let parts = raw.split('&');
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (part, None),
            };
            let name = decoded(name, Plus::IsSpace)?;
            if keeps(&name) {
                let value = value.map(|value| decoded(value, Plus::IsSpace));
                let value = value.transpose()?;
                parameters.push(Parameter { name, value });
            }
        }
        // A stable sort.
        parameters.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Query(parameters))
    }

    /// Remove a parameter that the key names, and return its value: empty without a `=`, and `None`
    /// without the parameter.
    ///
    /// # Errors
    ///
    /// [`Unkeyable::Repeated`].
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Unkeyable> {
        let mut places = self.0.iter().enumerate();
        let mut places = places
            .by_ref()
            .filter(|(_, parameter)| parameter.name == name);
        match (places.next(), places.next()) {
            (None, _) => Ok(None),
            (Some((at, _)), None) => Ok(Some(self.0.remove(at).value.unwrap_or_default())),
            (Some(_), Some(_)) => Err(Unkeyable::Repeated),
        }
    }

    /// Return the names of the parameters.
    #[cfg(feature = "admin")]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|parameter| &*parameter.name)
    }

    /// Return whether there are no parameters.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Append the parameters in an unambiguous form.
    pub(crate) fn push_variant(&self, out: &mut Vec<u8>) {
        for (nth, parameter) in self.0.iter().enumerate() {
            if nth > 0 {
                out.push(b'&');
            }
            push_encoded(&parameter.name, out);
            if let Some(value) = &parameter.value {
                out.push(b'=');
                push_encoded(value, out);
            }
        }
    }
}

/// Append a text in which all but unreserved characters are escaped.
fn push_encoded(text: &str, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match is_unreserved(byte) {
            true => out.push(byte),
            false => out.extend([
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]),
        }
    }
}

/// Meaning of a `+`.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Plus {
    IsPlus,
    IsSpace,
}

/// Decode percent-encoded text (RFC 3986, 2.1).
fn decoded(text: &str, plus: Plus) -> Result<Cow<'_, str>, Unkeyable> {
    let is_plain = |byte| byte != b'%' && (byte != b'+' || plus == Plus::IsPlus);
    if text.bytes().all(is_plain) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || bytes.next().and_then(hex).ok_or(Unkeyable::Escape);
                digit()? << 4 | digit()?
            }
            b'+' if plus == Plus::IsSpace => b' ',
            byte => byte,
        });
    }
    let text = String::from_utf8(out).map_err(|_| Unkeyable::Utf8)?;
    Ok(Cow::Owned(text))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Return the host that a request is for, in lower case and without the scheme's own port, or
/// `None` if it names none. It is in the URI (`:authority` in HTTP/2), in `Host`, or in both.
///
/// # Errors
///
/// [`Unkeyable::Host`] if it can't be read, or if the two differ: handlers may read either.
pub(crate) fn host<'r>(
    uri: &'r Uri,
    headers: &'r HeaderMap,
) -> Result<Option<Cow<'r, str>>, Unkeyable> {
    let mut lines = headers.get_all(HOST).iter();
    let line = match (lines.next(), lines.next()) {
        (None, _) => None,
        // RFC 9112, 3.2: empty if the URI has no authority.
        (Some(line), None) if line.is_empty() => None,
        (Some(line), None) => Some(line.to_str().map_err(|_| Unkeyable::Host)?),
        (Some(_), Some(_)) => return Err(Unkeyable::Host),
    };
    let normal = |authority| normal_host(authority, uri.scheme());
    let in_uri = uri.authority().map(|authority| normal(authority.as_str()));
    let named = line.map(normal).transpose()?;
    match (in_uri.transpose()?, named) {
        (Some(one), Some(other)) if one != other => Err(Unkeyable::Host),
        (one, other) => Ok(one.or(other)),
    }
}

/// Write a host in the normal form (RFC 3986, 6.2.2.1 and 6.2.3).
fn normal_host<'r>(authority: &'r str, scheme: Option<&Scheme>) -> Result<Cow<'r, str>, Unkeyable> {
    // Most are in the normal form. Parsing costs a copy.
    let is_plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    if authority.bytes().all(is_plain) {
        return Ok(Cow::Borrowed(authority));
    }
    let authority = authority
        .parse::<Authority>()
        .map_err(|_| Unkeyable::Host)?;
    let name = authority.host();
    if name.is_empty() {
        return Err(Unkeyable::Host);
    }
    // With anything before the host, such as a user, this is no prefix.
    let port = authority.as_str().strip_prefix(name);
    let port = match port.ok_or(Unkeyable::Host)? {
        "" | ":" => None,
        port => {
            let port = port
                .strip_prefix(':')
                .and_then(|port| port.parse::<u16>().ok());
            Some(port.ok_or(Unkeyable::Host)?)
        }
    };
    let mut host = name.to_ascii_lowercase();
    let is_default = |port: &u16| match *port {
        80 => scheme != Some(&Scheme::HTTPS),
        443 => scheme != Some(&Scheme::HTTP),
        _ => false,
    };
    if let Some(port) = port.filter(|port| !is_default(port)) {
        host.push_str(&format!(":{port}"));
    }
    Ok(Cow::Owned(host))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn segments(path: &str) -> Result<Vec<String>, Unkeyable> {
        let path = Path::parse(path)?;
        let segments = path.segments().iter().map(|segment| segment.to_string());
        Ok(segments.collect())
    }

    fn entry_path(path: &str) -> String {
        let path = Path::parse(path).expect("a valid path");
        path_below("http", path.segments())
    }

    fn variant(query: &str, filter: &QueryFilter) -> Result<String, Unkeyable> {
        let query = Query::parse(Some(query), |name| filter.keeps(name))?;
        let mut out = Vec::new();
        query.push_variant(&mut out);
        Ok(String::from_utf8(out).expect("ASCII"))
    }

    fn all(query: &str) -> Result<String, Unkeyable> {
        variant(query, &QueryFilter::All)
    }

    fn host_of(uri: &str, lines: &[&str]) -> Result<Option<String>, Unkeyable> {
        let uri = uri.parse().expect("a valid URI");
        let lines = lines.iter().map(|line| {
            let value = HeaderValue::from_str(line).expect("a valid field value");
            (HOST, value)
        });
        let headers = lines.collect();
        Ok(host(&uri, &headers)?.map(Cow::into_owned))
    }

    #[test]
    fn a_path_is_split_before_it_is_decoded() {
        assert_eq!(segments("/posts/a%20b").expect("valid"), ["posts", "a b"]);
        assert_eq!(segments("/a%2Fb").expect("valid"), ["a/b"]);
        assert_eq!(segments("/%C3%A9+").expect("valid"), ["é+"]);
        assert_eq!(segments("/").expect("valid"), [""]);
        assert_eq!(segments("/a/").expect("valid"), ["a", ""]);
        assert_eq!(segments("//a").expect("valid"), ["", "a"]);
        assert_eq!(segments("/a/../b").expect("valid"), ["a", "..", "b"]);
    }

    #[test]
    fn what_cannot_be_decoded_has_no_key() {
        for path in ["/%", "/%4", "/%4x", "/%%41", "/a/%zz/b", "/%+1"] {
            assert_eq!(segments(path), Err(Unkeyable::Escape), "{path}");
        }
        for path in ["/%FF", "/%C3", "/%ED%A0%80", "/a/%80"] {
            assert_eq!(segments(path), Err(Unkeyable::Utf8), "{path}");
        }
    }

    #[test]
    fn entries_lie_at_their_paths() {
        assert_eq!(entry_path("/posts/my-post"), "http:posts:my-post");
        assert_eq!(entry_path("/a:b/%2A"), "http:a%3Ab:%2A");
        let paths = [
            "/", "/a", "/a/", "//a", "/a/b", "/a%2Fb", "/a%3Ab", "/a/..", "/..", "/.",
        ];
        let mut entries = paths.map(entry_path).to_vec();
        entries.sort();
        entries.dedup();
        assert_eq!(entries.len(), paths.len());
    }

    #[test]
    fn a_path_that_is_written_unusually_is_another_variant() {
        let unusual = |path| Path::parse(path).expect("a valid path").unusual();
        for path in [
            "/",
            "/about",
            "/a%20b",
            "/%C3%A9",
            "/a%2Fb",
            "/a:b@c!$&'()*+,;=",
            "/%25",
        ] {
            assert_eq!(unusual(path), None, "{path}");
        }
        for path in [
            "/%61bout", "/%c3%a9", "/a%2fb", "/%7E", "/a%3Ab", "/é", "/a\"b", "/a|b",
        ] {
            assert_eq!(unusual(path), Some(path), "{path}");
        }
    }

    #[test]
    fn parameters_are_sorted_by_name_and_decoded() {
        let expected = Ok("a=1&b=2".to_owned());
        assert_eq!(all("a=1&b=2"), expected);
        assert_eq!(all("b=2&a=1"), expected);
        assert_eq!(all("&&%62=%32&a=1&"), expected);
        assert_eq!(all("q=a+b"), all("q=a%20b"));
        assert_eq!(all("q=+"), all("q=%20"));
        assert_ne!(all("q=a%2Bb"), all("q=a+b"));
        assert_eq!(all(""), Ok(String::new()));
    }

    #[test]
    fn parameters_of_one_name_stay_in_order() {
        assert_ne!(all("a=1&a=2"), all("a=2&a=1"));
        assert_eq!(all("a=1&b=0&a=2"), all("b=0&a=1&a=2"));
    }

    #[test]
    fn different_queries_are_different_variants() {
        let queries = [
            "a", "a=", "=a", "=", "a=b", "a%3Db", "a=%26", "a&b", "a%26b", "a==", "A",
        ];
        let mut variants = queries
            .map(|query| all(query).expect("a valid query"))
            .to_vec();
        variants.sort();
        variants.dedup();
        assert_eq!(variants.len(), queries.len());
    }

    #[test]
    fn a_query_that_cannot_be_decoded_has_no_key() {
        assert_eq!(all("a=%"), Err(Unkeyable::Escape));
        assert_eq!(all("%4=1"), Err(Unkeyable::Escape));
        assert_eq!(all("a=%FF"), Err(Unkeyable::Utf8));
        assert_eq!(all("%FF"), Err(Unkeyable::Utf8));
    }

    #[test]
    fn only_the_named_parameters_choose_the_variant() {
        let filter = QueryFilter::Only(vec!["q".to_owned(), "page".to_owned()]);
        assert_eq!(
            variant("q=1&x=2&page=3", &filter),
            Ok("page=3&q=1".to_owned())
        );
        assert_eq!(variant("Q=1", &filter), Ok(String::new()));
        assert_eq!(variant("x=%FF", &filter), Ok(String::new()));
    }

    #[test]
    fn ignored_parameters_may_be_named_by_a_pattern() {
        let filter = QueryFilter::Ignore(vec!["utm_*".to_owned(), "fbclid".to_owned()]);
        let query = "utm_source=1&q=2&fbclid=3&fbclid2=4&utm=5";
        assert_eq!(
            variant(query, &filter),
            Ok("fbclid2=4&q=2&utm=5".to_owned())
        );
        // As it is written in the query doesn't matter.
        assert_eq!(variant("%75tm_x=1", &filter), Ok(String::new()));
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a"),
            ("a*", "a"),
            ("a*b*c", "aXbYbc"),
            ("*b", "ab"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("a*", "b"),
            ("a*a", "a"),
            ("*b*", "ac"),
            ("*b", "ba"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_parameter_in_the_key_leaves_the_variant() {
        let mut query = Query::parse(Some("b=2&a=1&c"), |_| true).expect("a valid query");
        assert_eq!(query.take("a"), Ok(Some("1".into())));
        assert_eq!(query.take("a"), Ok(None));
        assert_eq!(query.take("c"), Ok(Some("".into())));
        assert!(!query.is_empty());
        assert_eq!(query.take("b"), Ok(Some("2".into())));
        assert!(query.is_empty());
    }

    #[test]
    fn a_parameter_in_the_key_has_one_value() {
        let mut query = Query::parse(Some("a=1&a=2"), |_| true).expect("a valid query");
        assert_eq!(query.take("a"), Err(Unkeyable::Repeated));
    }

    #[test]
    fn a_host_is_in_the_uri_or_in_a_field() {
        let expected = Ok(Some("example.com".to_owned()));
        assert_eq!(host_of("/", &["example.com"]), expected);
        assert_eq!(host_of("https://example.com/", &[]), expected);
        assert_eq!(
            host_of("https://example.com/", &["Example.COM:443"]),
            expected
        );
        assert_eq!(host_of("/", &[]), Ok(None));
        assert_eq!(host_of("/", &[""]), Ok(None));
    }

    #[test]
    fn a_host_is_in_lower_case_and_without_the_default_port() {
        let is = |uri, line, expected: &str| {
            assert_eq!(
                host_of(uri, &[line]),
                Ok(Some(expected.to_owned())),
                "{uri} {line}"
            );
        };
        is("/", "EXAMPLE.com:80", "example.com");
        is("/", "example.com:443", "example.com");
        is("/", "example.com:", "example.com");
        is("/", "example.com:8080", "example.com:8080");
        is("/", "[::1]:8080", "[::1]:8080");
        is("/", "[2001:DB8::1]", "[2001:db8::1]");
        is("/", "example.com.", "example.com.");
        let of_uri = |uri| host_of(uri, &[]).expect("a valid host").expect("a host");
        assert_eq!(of_uri("http://a:443/"), "a:443");
        assert_eq!(of_uri("https://a:80/"), "a:80");
    }

    #[test]
    fn a_host_that_is_ambiguous_has_no_key() {
        for (uri, lines) in [
            ("/", &["a", "a"][..]),
            ("/", &[":80"]),
            ("/", &["a b"]),
            ("/", &["user@a"]),
            ("/", &["a:99999"]),
            ("/", &["a/b"]),
            ("https://a/", &["b"]),
            ("https://a/", &["a:8080"]),
        ] {
            assert_eq!(host_of(uri, lines), Err(Unkeyable::Host), "{uri} {lines:?}");
        }
    }

    #[test]
    fn reasons_are_tokens() {
        for reason in [
            Unkeyable::Escape,
            Unkeyable::Utf8,
            Unkeyable::Host,
            Unkeyable::Repeated,
        ] {
            assert!(
                reason
                    .as_str()
                    .bytes()
                    .all(super::super::list::is_token_byte)
            );
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_from_a_segment(text in "\\PC{0,12}") {
            let mut encoded = Vec::new();
            push_encoded(&text, &mut encoded);
            let path = format!("/{}", String::from_utf8(encoded).expect("ASCII"));
            prop_assert_eq!(segments(&path), Ok(vec![text]));
        }

        #[test]
        fn queries_share_a_variant_only_with_the_same_parameters(
            one in "[ab=&+%2]{0,8}",
            other in "[ab=&+%2]{0,8}",
        ) {
            let parameters = |query: &str| {
                let query = Query::parse(Some(query), |_| true).ok()?;
                let owned = query.0.into_iter().map(|parameter| {
                    (parameter.name.into_owned(), parameter.value.map(Cow::into_owned))
                });
                Some(owned.collect::<Vec<_>>())
            };
            prop_assume!(all(&one).is_ok() && all(&other).is_ok());
            prop_assert_eq!(all(&one) == all(&other), parameters(&one) == parameters(&other));
        }

        #[test]
        fn any_path_and_query_can_be_read_without_a_panic(text in "\\PC{0,24}") {
            if let Ok(path) = Path::parse(&text) {
                _ = path.unusual();
                _ = path_below("http", path.segments());
            }
            _ = all(&text);
        }
    }
}
