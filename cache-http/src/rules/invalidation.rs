//! Which pages a write makes invalid (section 4.4): the one at its own target, and those that the
//! response names in `Location` and `Content-Location`.

use http::header::{CONTENT_LOCATION, HeaderMap, LOCATION};
use http::uri::{PathAndQuery, Uri};
use http::{Method, StatusCode};

use super::target;

/// Return whether a method changes nothing (RFC 9110, 9.2.1). An unknown one may.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

/// Return whether a response says that something was changed: the method isn't safe, and the status
/// is no error.
pub(crate) fn invalidates(method: &Method, status: StatusCode) -> bool {
    !is_safe(method) && (status.is_success() || status.is_redirection())
}

/// Return the paths and queries that the response names, on the host of the request
/// ([`target::host`]). Those of other hosts aren't the response's to invalidate.
pub(crate) fn named_targets(
    uri: &Uri,
    host: Option<&str>,
    response: &HeaderMap,
) -> Vec<PathAndQuery> {
    let lines = [LOCATION, CONTENT_LOCATION].map(|name| response.get_all(name));
    let lines = lines.iter().flat_map(|lines| lines.iter());
    let references = lines.filter_map(|line| line.to_str().ok());
    let targets = references.filter_map(|reference| resolved(reference, uri, host));
    targets.collect()
}

/// Resolve a reference against the request's URI (RFC 3986, 5.2), or return `None` if it is invalid
/// or leads to another host.
fn resolved(reference: &str, base: &Uri, host: Option<&str>) -> Option<PathAndQuery> {
    let reference = reference.split('#').next().unwrap_or_default();
    let relative = match without_scheme(reference) {
        Some(after_scheme) => {
            let authority = after_scheme.strip_prefix("//")?;
            let end = authority.find(['/', '?']).unwrap_or(authority.len());
            let (authority, relative) = authority.split_at(end);
            // The scheme is compared through its default port.
            let named = format!(
                "{}//{authority}/",
                &reference[..reference.len() - after_scheme.len()]
            );
            let (named, no_fields) = (named.parse().ok()?, HeaderMap::new());
            if target::host(&named, &no_fields).ok()?.as_deref() != host {
                return None;
            }
            match relative.starts_with('/') {
                true => relative.to_owned(),
                false => format!("/{relative}"),
            }
        }
        None if reference.starts_with("//") => {
            let scheme = base.scheme_str().unwrap_or("http");
            return resolved(&format!("{scheme}:{reference}"), base, host);
        }
        None => reference.to_owned(),
    };
    let (path, query) = match relative.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&*relative, None),
    };
    let (path, query) = match path {
        "" => (base.path().to_owned(), query.or(base.query())),
        path if path.starts_with('/') => (without_dots(path), query),
        path => {
            let directory = base.path().rfind('/').map_or("", |at| &base.path()[..at]);
            (without_dots(&format!("{directory}/{path}")), query)
        }
    };
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    text.parse().ok()
}

/// Return what follows the colon of the scheme, if the reference has one.
fn without_scheme(reference: &str) -> Option<&str> {
    let (scheme, rest) = reference.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some(rest)
}

/// Remove the segments `.` and `..` of an absolute path (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut segments = Vec::new();
    let mut ends_in_directory = false;
    for segment in path.split('/').skip(1) {
        ends_in_directory = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => _ = segments.pop(),
            segment => segments.push(segment),
        }
    }
    if ends_in_directory {
        segments.push("");
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HeaderName;

    use super::*;

    fn fields(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let lines = lines.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a valid field value");
            (name.clone(), value)
        });
        lines.collect()
    }

    /// Resolve the `Location` of a request to `example.com`.
    fn location(uri: &str, location: &str) -> Option<String> {
        let uri = uri.parse().expect("a valid URI");
        let response = fields(&[(LOCATION, location)]);
        let targets = named_targets(&uri, Some("example.com"), &response);
        targets.first().map(|target| target.to_string())
    }

    #[test]
    fn a_write_that_succeeds_invalidates() {
        let patch = Method::from_bytes(b"MOVE").expect("a valid method");
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            patch,
        ] {
            for status in [
                StatusCode::OK,
                StatusCode::NO_CONTENT,
                StatusCode::SEE_OTHER,
            ] {
                assert!(invalidates(&method, status), "{method} {status}");
            }
            for status in [StatusCode::BAD_REQUEST, StatusCode::INTERNAL_SERVER_ERROR] {
                assert!(!invalidates(&method, status), "{method} {status}");
            }
        }
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert!(!invalidates(&method, StatusCode::OK), "{method}");
        }
    }

    #[test]
    fn references_are_resolved() {
        let is = |reference, expected: &str| {
            let target = location("/posts/new?x=1", reference);
            assert_eq!(target.as_deref(), Some(expected), "{reference}");
        };
        is("/posts/7", "/posts/7");
        is("/posts/7?a=1#top", "/posts/7?a=1");
        is("7", "/posts/7");
        is("./7", "/posts/7");
        is("../users/7", "/users/7");
        is("..", "/");
        is("../../../a/./b/..", "/a/");
        is("", "/posts/new?x=1");
        is("?y=2", "/posts/new?y=2");
        is("./a:b", "/posts/a:b");
    }

    #[test]
    fn targets_of_the_same_host_count() {
        for same in [
            "http://example.com/a",
            "https://EXAMPLE.com:443/a",
            "//example.com/a",
            "http://example.com:80/a",
        ] {
            assert_eq!(location("/", same).as_deref(), Some("/a"), "{same}");
        }
        assert_eq!(location("/", "http://example.com").as_deref(), Some("/"));
        assert_eq!(
            location("/", "http://example.com?a").as_deref(),
            Some("/?a")
        );
    }

    #[test]
    fn targets_of_other_hosts_and_what_is_no_target_do_not() {
        for other in [
            "http://example.org/a",
            "http://example.com:8080/a",
            "//example.org/a",
            "http://user@example.com/a",
            "mailto:a@example.com",
            "http:///a",
            "a b",
        ] {
            assert_eq!(location("/", other), None, "{other}");
        }
    }

    #[test]
    fn both_fields_count() {
        let response = fields(&[(CONTENT_LOCATION, "/b"), (LOCATION, "/a")]);
        let uri = "/".parse().expect("a valid URI");
        let targets = named_targets(&uri, None, &response);
        assert_eq!(targets, ["/a", "/b"]);
    }
}
