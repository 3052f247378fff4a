//! The `namespace` option: a root that `cache_runtime::Namespace` shares.

use proc_macro2::Span;
use syn::{Error, LitStr};

/// The root of a function's keys or patterns, `chat:v1`.
pub(crate) struct Namespace {
    pub(crate) span: Span,
    root: String,
}

impl Namespace {
    /// Read a name, `chat`, or a name and a version, `chat:v2`.
    pub(crate) fn read(text: &LitStr) -> syn::Result<Self> {
        let value = text.value();
        let (name, version) = match value.rsplit_once(":v") {
            Some((name, version)) => (name, version.parse::<u32>().ok()),
            None => (value.as_str(), Some(1)),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        match version {
            Some(version) if !name.is_empty() && name.chars().all(allowed) => Ok(Self {
                span: text.span(),
                root: format!("{name}:v{version}"),
            }),
            _ => Err(Error::new(
                text.span(),
                "`namespace` takes a name of letters, digits, `_`, `.` and `-`, and a version if it \
                 isn't 1: write `namespace = \"chat\"` or `namespace = \"chat:v2\"`",
            )),
        }
    }
}

/// Return a template below the namespace, if there is one.
pub(crate) fn below(namespace: Option<&Namespace>, template: LitStr) -> LitStr {
    match namespace {
        Some(Namespace { root, .. }) => {
            let text = format!("{root}:{}", template.value());
            LitStr::new(&text, template.span())
        }
        None => template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Option<String> {
        let read = Namespace::read(&LitStr::new(text, Span::call_site()));
        read.ok().map(|namespace| namespace.root)
    }

    #[test]
    fn a_namespace_is_a_name_and_a_version() {
        assert_eq!(root("chat").as_deref(), Some("chat:v1"));
        assert_eq!(root("chat:v2").as_deref(), Some("chat:v2"));
        assert_eq!(root("chat_2.a-b").as_deref(), Some("chat_2.a-b:v1"));
        for wrong in [
            "", "a:b", "chat:", "chat:v", "chat:v-1", ":v1", "a b", "a*", "<<id>>",
        ] {
            assert_eq!(root(wrong), None, "{wrong}");
        }
    }
}
