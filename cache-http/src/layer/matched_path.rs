//! The path parameters of a URL that a response names, by the path of its route.

use std::borrow::Cow;

use http::request::Parts;

/// Return the path of the request's route, such as `/posts/{slug}`.
#[cfg(feature = "axum")]
pub(super) fn of(parts: &Parts) -> Option<String> {
    let matched = parts.extensions.get::<axum::extract::MatchedPath>();
    matched.map(|matched| matched.as_str().to_owned())
}

/// Without axum, the layer doesn't know the path of a route.
#[cfg(not(feature = "axum"))]
pub(super) fn of(_: &Parts) -> Option<String> {
    None
}

/// Return the parameters of a path, if it is one of the route's. `segments` are decoded.
pub(super) fn parameters(route: &str, segments: &[Cow<'_, str>]) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut segments = segments.iter();
    for part in route.strip_prefix('/')?.split('/') {
        if let Some(name) = part.strip_prefix("{*") {
            let rest = segments.map(AsRef::as_ref).collect::<Vec<&str>>();
            let rest = (!rest.is_empty()).then(|| rest.join("/"))?;
            parameters.push((name.strip_suffix('}')?.to_owned(), rest));
            return Some(parameters);
        }
        let segment = segments.next()?;
        match parameter(part) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => parameters.push((name.to_owned(), segment.as_ref().to_owned())),
            // A brace that is doubled stands for itself.
            None if part.replace("{{", "{").replace("}}", "}") == **segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(parameters)
}

/// Return the name of the parameter that a segment of a route is.
fn parameter(part: &str) -> Option<&str> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    (!name.starts_with('{')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(route: &str, path: &'static str) -> Option<Vec<(String, String)>> {
        let segments = path.split('/').skip(1).map(Cow::Borrowed);
        parameters(route, &segments.collect::<Vec<_>>())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Some(pairs.iter().map(owned).collect())
    }

    #[test]
    fn a_path_of_the_route_has_its_parameters() {
        let one = found("/posts/{slug}", "/posts/a");
        assert_eq!(one, pairs(&[("slug", "a")]));
        let two = found("/u/{user}/posts/{slug}", "/u/7/posts/a");
        assert_eq!(two, pairs(&[("user", "7"), ("slug", "a")]));
        let rest = found("/files/{*path}", "/files/a/b");
        assert_eq!(rest, pairs(&[("path", "a/b")]));
        assert_eq!(found("/", "/"), pairs(&[]));
        assert_eq!(found("/{{a}}", "/{a}"), pairs(&[]));
    }

    #[test]
    fn a_path_of_another_route_has_none() {
        for path in [
            "/posts",
            "/posts/",
            "/posts/a/b",
            "/users/a",
            "/",
            "/posts/a/",
        ] {
            assert_eq!(found("/posts/{slug}", path), None, "{path}");
        }
        assert_eq!(found("/files/{*path}", "/files"), None);
        assert_eq!(found("/files/{*path}", "/other/a"), None);
    }
}
