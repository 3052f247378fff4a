//! A stored response.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cache_runtime::{HasStaleness, Staleness};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::{SerializeSeq as _, SerializeTuple as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::prepared::Prepared;
use crate::rules::freshness::StoredRules;

/// A response as it is stored: its status, its fields without the hop-by-hop ones, its whole body,
/// and what the rules of HTTP said when it was stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) rules: StoredRules,
    /// The fields of whole answers, for hits.
    pub(crate) whole: Prepared,
    /// The fields of answers with status 304.
    pub(crate) not_modified: Prepared,
}

impl Page {
    pub(crate) fn new(
        status: StatusCode,
        fields: HeaderMap,
        body: Bytes,
        rules: StoredRules,
    ) -> Self {
        Self {
            status,
            fields,
            body,
            rules,
            whole: Prepared::default(),
            not_modified: Prepared::default(),
        }
    }
}

/// How long a page is kept beyond its freshness if the handler can validate it.
const VALIDATION: Duration = Duration::from_secs(3_600);

impl HasStaleness for Page {
    fn staleness(&self) -> Staleness {
        Staleness {
            stale: Duration::from_millis(self.rules.stale_while_revalidate_ms),
            kept: self.rules.kept(VALIDATION),
        }
    }
}

/// Fields in order, as bytes: neither a name's case nor a value's bytes change on the way.
struct Fields<'a>(&'a HeaderMap);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_seq(Some(self.0.len()))?;
        for (name, value) in self.0 {
            fields.serialize_element(&(name.as_str(), Raw(value.as_bytes())))?;
        }
        fields.end()
    }
}

/// Bytes that serde writes as such, not as a sequence of numbers.
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_tuple(4)?;
        page.serialize_element(&self.status.as_u16())?;
        page.serialize_element(&Fields(&self.fields))?;
        page.serialize_element(&Raw(&self.rules.encode()))?;
        page.serialize_element(&Raw(&self.body))?;
        page.end()
    }
}

/// A body, which shares the memory in which the page came from Redis.
#[derive(Deserialize)]
struct Body(#[serde(with = "cache_runtime::shared_bytes")] Bytes);

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(4, PageVisitor)
    }
}

struct PageVisitor;

impl<'de> Visitor<'de> for PageVisitor {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored response")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Page, A::Error> {
        let missing = |part| move || A::Error::invalid_length(part, &PageVisitor);
        let status: u16 = parts.next_element()?.ok_or_else(missing(0))?;
        let fields: Vec<(String, Bytes)> = parts.next_element()?.ok_or_else(missing(1))?;
        let rules: Bytes = parts.next_element()?.ok_or_else(missing(2))?;
        let Body(body) = parts.next_element()?.ok_or_else(missing(3))?;
        let rules = StoredRules::decode(&rules);
        Ok(Page::new(
            StatusCode::from_u16(status).map_err(A::Error::custom)?,
            header_map(fields).map_err(A::Error::custom)?,
            body,
            rules.ok_or_else(|| A::Error::custom("rules of another form"))?,
        ))
    }
}

fn header_map(fields: Vec<(String, Bytes)>) -> Result<HeaderMap, http::Error> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        map.append(name, HeaderValue::from_maybe_shared(value)?);
    }
    Ok(map)
}
