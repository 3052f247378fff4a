//! `page!`: the key template of a page.

use std::fmt;

use cache_runtime::__private::ReadSite;
use http::request::Parts;

use crate::no_key::NoKey;
use crate::parameters::Parameters;
use crate::rules::target::{Query, Unkeyable, push_escaped};
use crate::user::User;

/// The key template of a page. Made by [`page!`](crate::page!).
#[derive(Clone, Copy)]
pub struct PageTemplate {
    /// As written.
    pub(crate) text: &'static str,
    pub(crate) parts: &'static [Part],
    /// The call site that reads are counted at.
    pub(crate) site: Option<&'static ReadSite>,
}

/// A part of a template: literal text, or what a placeholder names.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    Text(&'static str),
    /// A path parameter of the route.
    Path(&'static str),
    User,
    Host,
    Query(&'static str),
    Cookie(&'static str),
    Header(&'static str),
    Context(&'static str),
}

/// The text of a value that the request doesn't have. No escaped value has this text.
const ABSENT: &str = "%none";

/// The values of a request that a template can name.
pub(crate) struct Values<'v, 'r> {
    pub(crate) parts: &'r Parts,
    /// The route's path parameters. Those that the template names are marked.
    pub(crate) parameters: &'v mut Parameters,
    /// The query. Parameters that the template names are taken out.
    pub(crate) query: &'v mut Query<'r>,
    pub(crate) host: Option<&'v str>,
}

impl PageTemplate {
    #[doc(hidden)]
    pub const fn new(text: &'static str, parts: &'static [Part]) -> Self {
        Self {
            text,
            parts,
            site: None,
        }
    }

    /// Count the reads of the page at this call site.
    #[doc(hidden)]
    pub const fn at(mut self, site: &'static ReadSite) -> Self {
        self.site = Some(site);
        self
    }

    /// Whether each user has a page of their own.
    pub(crate) fn has_user(&self) -> bool {
        self.parts.contains(&Part::User)
    }

    /// The names of the cookies that the template has.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Cookie(name) => Some(*name),
            _ => None,
        })
    }

    /// Whether a parameter of the query is in the path.
    pub(crate) fn names_query(&self, name: &str) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part, Part::Query(named) if *named == name))
    }

    /// Whether the host is in the path.
    pub(crate) fn has_host(&self) -> bool {
        self.parts.contains(&Part::Host)
    }

    /// Append the path of a page.
    pub(crate) fn push_path(
        &self,
        values: &mut Values<'_, '_>,
        out: &mut String,
    ) -> Result<(), NoKey> {
        self.parts
            .iter()
            .try_for_each(|part| values.push(*part, out))
    }

    /// Render the pattern of all pages that a write at the same route concerns: those of every
    /// user, and of every value that isn't in the path.
    pub(crate) fn pattern(&self, values: &mut Values<'_, '_>) -> Result<String, NoKey> {
        let mut pattern = String::with_capacity(self.text.len() + 16);
        for part in self.parts {
            match part {
                Part::Text(_) | Part::Path(_) => values.push(*part, &mut pattern)?,
                _ => pattern.push('*'),
            }
        }
        Ok(pattern)
    }
}

impl Values<'_, '_> {
    /// Append a part: literal, or the value that it names, escaped.
    fn push(&mut self, part: Part, out: &mut String) -> Result<(), NoKey> {
        let found = match part {
            Part::Text(text) => {
                out.push_str(text);
                return Ok(());
            }
            Part::Path(name) => {
                let value = self.parameters.take(name);
                push_escaped(value.ok_or(NoKey::NoParameter(name))?, out);
                return Ok(());
            }
            Part::User => {
                let user = self.parts.extensions.get::<User>();
                push_escaped(user.ok_or(NoKey::NoUser)?.id(), out);
                return Ok(());
            }
            Part::Host => self.host.map(str::to_owned),
            Part::Query(name) => self.query.take(name)?.map(Into::into),
            Part::Cookie(name) => cookie(self.parts, name)?,
            Part::Header(name) => header(self.parts, name)?,
            Part::Context(name) => {
                let found = cache_runtime::context::get(name);
                Some(found.ok_or(NoKey::NoContext(name))?)
            }
        };
        match found {
            Some(value) => push_escaped(&value, out),
            None => out.push_str(ABSENT),
        }
        Ok(())
    }
}

/// The values of all lines of a field, in order.
fn header(parts: &Parts, name: &str) -> Result<Option<String>, NoKey> {
    let mut joined: Option<String> = None;
    for value in parts.headers.get_all(name) {
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Unkeyable::Utf8)?;
        match &mut joined {
            Some(joined) => {
                joined.push_str(", ");
                joined.push_str(text);
            }
            None => joined = Some(text.to_owned()),
        }
    }
    Ok(joined)
}

/// The value of a cookie (RFC 6265, section 5.4). The first one of a name counts.
fn cookie(parts: &Parts, name: &str) -> Result<Option<String>, NoKey> {
    for line in parts.headers.get_all(http::header::COOKIE) {
        let text = std::str::from_utf8(line.as_bytes()).map_err(|_| Unkeyable::Utf8)?;
        for pair in text.split(';') {
            if let Some((known, value)) = pair.trim().split_once('=')
                && known == name
            {
                return Ok(Some(value.to_owned()));
            }
        }
    }
    Ok(None)
}

impl fmt::Debug for PageTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PageTemplate").field(&self.text).finish()
    }
}
