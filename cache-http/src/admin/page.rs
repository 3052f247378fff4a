//! The dashboard: its files, and how they are served.
//!
//! They hold nothing of the service, and need no rights: the page asks the API for all that it
//! shows, and for a token if the API refuses. So they can be loaded before a token is known, and a
//! browser can't be made to guess by loading them.

use http::header::{
    CONTENT_SECURITY_POLICY, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY,
};
use http::request::Parts;
use http::{StatusCode, Uri};
use xxhash_rust::xxh3::xxh3_64;

use super::reply::Reply;

/// A file of the page.
#[derive(Debug, PartialEq)]
pub(super) struct File {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! files {
    ($($name:literal: $content_type:ident = $path:literal,)*) => {
        &[$(File {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("page/", $path)),
        }),*]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const IMAGE: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

const INDEX: File = File {
    name: "",
    content_type: HTML,
    content: include_bytes!("page/index.html"),
};
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// The files below `static/`.
const FILES: &[File] = files! {
    "api.js": SCRIPT = "api.js",
    "doctor.js": SCRIPT = "doctor.js",
    "dom.js": SCRIPT = "dom.js",
    "format.js": SCRIPT = "format.js",
    "functions.js": SCRIPT = "functions.js",
    "icon.svg": IMAGE = "icon.svg",
    "keys.js": SCRIPT = "keys.js",
    "live.js": SCRIPT = "live.js",
    "overview.js": SCRIPT = "overview.js",
    "page.css": STYLE = "page.css",
    "page.js": SCRIPT = "page.js",
    "poll.js": SCRIPT = "poll.js",
    "theme.js": SCRIPT = "theme.js",
    "uPlot.LICENSE": TEXT = "uplot/LICENSE",
    "uPlot.iife.min.js": SCRIPT = "uplot/uPlot.iife.min.js",
    "uPlot.min.css": STYLE = "uplot/uPlot.min.css",
    "warming.js": SCRIPT = "warming.js",
    "writes.js": SCRIPT = "writes.js",
};

/// Nothing from elsewhere, nothing inline, no text that becomes a script or an element, no frame
/// around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

impl File {
    /// Find the file of a path below the mount, without a first `/`.
    pub(super) fn of(path: &str) -> Option<&'static Self> {
        if path.is_empty() {
            return Some(&INDEX);
        }
        let name = path.strip_prefix("static/")?;
        FILES.iter().find(|file| file.name == name)
    }

    /// Return the file, or 304 for a browser that has it.
    pub(super) fn reply(&self, parts: &Parts) -> Reply {
        if *self == INDEX
            && let Some(below) = without_slash(parts)
        {
            return with_policy(Reply::empty(StatusCode::TEMPORARY_REDIRECT)).with(LOCATION, below);
        }
        let etag = format!("\"{:016x}\"", xxh3_64(self.content));
        let known = parts.headers.get_all(IF_NONE_MATCH).iter();
        let is_known = known
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/") == etag);
        let reply = match is_known {
            true => Reply::empty(StatusCode::NOT_MODIFIED),
            false => Reply::text(StatusCode::OK, self.content_type, self.content),
        };
        let reply = with_policy(reply.validated());
        match HeaderValue::from_str(&etag) {
            Ok(etag) => reply.with(ETAG, etag),
            Err(_) => reply,
        }
    }
}

/// Add the fields that make a page safe.
pub(super) fn with_policy(reply: Reply) -> Reply {
    let fixed = HeaderValue::from_static;
    reply
        .with(CONTENT_SECURITY_POLICY, fixed(POLICY))
        .with(REFERRER_POLICY, fixed("no-referrer"))
        .with(
            HeaderName::from_static("cross-origin-opener-policy"),
            fixed("same-origin"),
        )
}

/// Return where the page is if its path lacks the slash at its end, without which a browser would
/// look for the page's files beside the mount.
///
/// The path is relative, so that it is right behind a proxy that has cut off the path before it.
fn without_slash(parts: &Parts) -> Option<HeaderValue> {
    let path = original_uri(parts).path();
    let (_, last) = path.rsplit_once('/')?;
    match last {
        "" => None,
        // `./`: a segment with a `:` would be taken for a scheme.
        last => HeaderValue::try_from(format!("./{last}/")).ok(),
    }
}

/// Return the URI as the client sent it: below `nest_service`, the path is only what is below the
/// mount, and `/` for both.
#[cfg(feature = "axum")]
fn original_uri(parts: &Parts) -> &Uri {
    let original = parts.extensions.get::<axum::extract::OriginalUri>();
    original.map_or(&parts.uri, |original| &original.0)
}

#[cfg(not(feature = "axum"))]
fn original_uri(parts: &Parts) -> &Uri {
    &parts.uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_served() {
        let text = |file: &File| String::from_utf8_lossy(file.content).into_owned();
        let index = text(&INDEX);
        let named = index.split('"').filter(|part| part.starts_with("static/"));
        let named: Vec<&str> = named.collect();
        assert!(named.len() >= 6, "{named:?}");
        for path in named {
            assert!(File::of(path).is_some(), "{path}");
        }
        for script in FILES.iter().filter(|file| file.content_type == SCRIPT) {
            let text = text(script);
            let imports = text.lines().filter(|line| line.starts_with("import "));
            for import in imports {
                let path = import.split('\'').nth(1).expect("it names a file");
                let name = path.strip_prefix("./").expect("it is beside");
                assert!(FILES.iter().any(|file| file.name == name), "{import}");
            }
        }
        assert_eq!(File::of("static/"), None);
        assert_eq!(File::of("static/../page.rs"), None);
    }

    #[test]
    fn no_script_of_ours_makes_elements_of_text() {
        for file in FILES.iter().filter(|file| !file.name.starts_with("uPlot")) {
            let text = String::from_utf8_lossy(file.content);
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!text.contains(way), "{}: {way}", file.name);
            }
        }
    }
}
