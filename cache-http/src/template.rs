//! `page!`: the key template of a page.

use std::fmt;

use cache_runtime::escape;
use http::request::Parts;

use crate::rules::target::{Query, Unkeyable};
use crate::user::User;

/// The key template of a page. Made by [`page!`](crate::page!).
#[derive(Clone, Copy)]
pub struct PageTemplate {
    /// As written.
    pub(crate) text: &'static str,
    pub(crate) parts: &'static [Part],
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

/// Why a request has no key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoKey {
    /// The route has no path parameter of this name.
    NoParameter(&'static str),
    /// There is no `ContextLayer`.
    NoUser,
    /// The context doesn't have this name.
    NoContext(&'static str),
    /// The client's target has none.
    Unkeyable(Unkeyable),
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoParameter(name) => write!(
                f,
                "the route has no path parameter `{name}`: name one of the route's, as in `/posts/{{{name}}}`"
            ),
            Self::NoUser => f.write_str(
                "there is no user: put a `ContextLayer` around the routes, with `.layer(..)` after them",
            ),
            Self::NoContext(name) => write!(
                f,
                "the context has no `{name}`: set it with `cache_runtime::context::scope` around the service"
            ),
            Self::Unkeyable(reason) => f.write_str(reason.as_str()),
        }
    }
}

impl From<Unkeyable> for NoKey {
    fn from(reason: Unkeyable) -> Self {
        Self::Unkeyable(reason)
    }
}

/// The values of a request that a template can name.
pub(crate) struct Values<'v, 'r> {
    pub(crate) parts: &'r Parts,
    /// The route's path parameters, decoded. Those that the template names are taken out.
    pub(crate) parameters: &'v mut Vec<(String, String)>,
    /// The query. Parameters that the template names are taken out.
    pub(crate) query: &'v mut Query<'r>,
    pub(crate) host: Option<&'v str>,
}

impl PageTemplate {
    #[doc(hidden)]
    pub const fn new(text: &'static str, parts: &'static [Part]) -> Self {
        Self { text, parts }
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

    /// Render the path of a page.
    pub(crate) fn path(&self, values: &mut Values<'_, '_>) -> Result<String, NoKey> {
        let mut path = String::with_capacity(self.text.len() + 16);
        for part in self.parts {
            match values.of(*part)? {
                Value::Literal(text) => path.push_str(text),
                Value::Escaped(text) => path.push_str(&escape(&text)),
                Value::Absent => path.push_str(ABSENT),
            }
        }
        Ok(path)
    }

    /// Render the pattern of all pages that a write at the same route concerns: those of every
    /// user, and of every value that isn't in the path.
    pub(crate) fn pattern(&self, values: &mut Values<'_, '_>) -> Result<String, NoKey> {
        let mut pattern = String::with_capacity(self.text.len() + 16);
        for part in self.parts {
            match part {
                Part::Text(text) => pattern.push_str(text),
                Part::Path(_) => match values.of(*part)? {
                    Value::Escaped(text) => pattern.push_str(&escape(&text)),
                    _ => pattern.push('*'),
                },
                _ => pattern.push('*'),
            }
        }
        Ok(pattern)
    }
}

enum Value {
    Literal(&'static str),
    Escaped(String),
    Absent,
}

impl Values<'_, '_> {
    fn of(&mut self, part: Part) -> Result<Value, NoKey> {
        let found = match part {
            Part::Text(text) => return Ok(Value::Literal(text)),
            Part::Path(name) => {
                let named = |(known, _): &(String, String)| known == name;
                let place = self.parameters.iter().position(named);
                Some(
                    self.parameters
                        .remove(place.ok_or(NoKey::NoParameter(name))?)
                        .1,
                )
            }
            Part::User => {
                let user = self.parts.extensions.get::<User>();
                Some(user.ok_or(NoKey::NoUser)?.id().to_owned())
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
        Ok(found.map_or(Value::Absent, Value::Escaped))
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
