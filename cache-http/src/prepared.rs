//! The fields of hits, ready to be sent. Those of one second are equal: `Age` and `Cache-Status` are
//! written once a second, and each answer costs one clone of a map that has all fields.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use http::header::{AGE, HeaderMap, HeaderName};

use crate::rules::cache_status::CacheStatus;
use crate::rules::fields;

/// The fields of one kind of answer with a page. Not part of the page: a clone has none yet.
#[derive(Default)]
pub(crate) struct Prepared(RwLock<Option<Fields>>);

/// The facts that the fields of an answer depend on, besides the page.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// Seconds.
    pub(crate) age: u64,
    /// Seconds, negative for a stale page.
    pub(crate) ttl: i64,
    /// The name of the field `Cache-Status`.
    pub(crate) status_header: &'a HeaderName,
}

struct Fields {
    age: u64,
    ttl: i64,
    status_header: HeaderName,
    fields: HeaderMap,
}

impl Fields {
    fn are_of(&self, moment: Moment<'_>) -> bool {
        self.age == moment.age
            && self.ttl == moment.ttl
            && self.status_header == *moment.status_header
    }

    fn of(moment: Moment<'_>, mut fields: HeaderMap) -> Self {
        fields.insert(AGE, fields::age_value(moment.age));
        let (ttl, name) = (moment.ttl, moment.status_header);
        CacheStatus::Hit { ttl }.append(&mut fields, name.clone());
        Self {
            age: moment.age,
            ttl,
            status_header: name.clone(),
            fields,
        }
    }
}

impl Prepared {
    /// Return the fields, with `Age` and `Cache-Status`. `fields` returns those without.
    pub(crate) fn fields(
        &self,
        moment: Moment<'_>,
        fields: impl FnOnce() -> HeaderMap,
    ) -> HeaderMap {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.are_of(moment)) {
            return known.fields.clone();
        }
        drop(known);
        let new = Fields::of(moment, fields());
        let fields = new.fields.clone();
        let old = {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.replace(new)
        };
        drop(old);
        fields
    }
}

impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Prepared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prepared")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CACHE_STATUS;

    use super::*;

    fn moment(age: u64, ttl: i64) -> Moment<'static> {
        Moment {
            age,
            ttl,
            status_header: &CACHE_STATUS,
        }
    }

    #[test]
    fn each_moment_has_its_own_age_and_ttl() {
        let prepared = Prepared::default();
        let page = || {
            let mut fields = HeaderMap::new();
            fields.insert(CACHE_STATUS, HeaderValue::from_static("origin; hit"));
            fields
        };
        for (age, ttl) in [(1, 59), (1, 59), (2, 58), (200, -1), (1, 59)] {
            let fields = prepared.fields(moment(age, ttl), page);
            assert_eq!(fields[AGE], age.to_string());
            let status: Vec<_> = fields.get_all(CACHE_STATUS).iter().collect();
            let ours = format!("cache-http; hit; ttl={ttl}");
            assert_eq!(status, ["origin; hit", &ours]);
        }
    }

    #[test]
    fn equal_moments_are_written_once() {
        let prepared = Prepared::default();
        prepared.fields(moment(1, 59), HeaderMap::new);
        prepared.fields(moment(1, 59), || panic!("they are known"));
    }

    #[test]
    fn layers_with_other_names_of_the_field_share_a_page() {
        let (prepared, other) = (Prepared::default(), HeaderName::from_static("x-cache"));
        prepared.fields(moment(1, 59), HeaderMap::new);
        let named = Moment {
            status_header: &other,
            ..moment(1, 59)
        };
        let fields = prepared.fields(named, HeaderMap::new);
        assert!(fields.contains_key("x-cache") && !fields.contains_key(CACHE_STATUS));
    }
}
