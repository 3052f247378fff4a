//! The rules of HTTP caching, as functions from values to decisions. Nothing here reads a clock, a
//! cache or a body, and times are parameters.
//!
//! In the order in which a request meets them:
//!
//! 1. [`storage::admit`]: may the cache be used for this request at all? A [`storage::Refusal`]
//!    says why not; the request then goes to its handler alone, beside all others.
//! 2. [`target`]: which entry the request asks for. [`target::Unkeyable`] is a bypass, too.
//! 3. [`vary`]: which variant of the entry it asks for.
//! 4. [`freshness::StoredRules::freshness`]: may the entry be served now? In layers that obey
//!    requests, [`freshness::StoredRules::freshness_for`] asks the request's directives, too.
//! 5. On a hit: [`conditional::is_not_modified`] (304), [`range::select`] (206 or 416), `Age` from
//!    [`fields::age_value`], and [`cache_status::CacheStatus`].
//! 6. On a miss: [`conditional::ask_for_whole`] removes the client's conditions before the handler
//!    sees the request; for a stale entry [`conditional::ask_for_changes`] adds those of the entry.
//! 7. [`storage::decide`]: may the response be stored? It reads the response as the handler made
//!    it, **before** hop-by-hop fields are removed: otherwise `Connection: set-cookie` would hide a
//!    cookie from it. What comes back is stored with the entry, in a few bytes.
//! 8. [`fields::stored`]: the fields that are stored; [`etag::weak`] where the handler set none.
//!    After a 304 from the handler, [`fields::freshened`].
//! 9. After an unsafe method, [`invalidation`]: which pages are no longer valid.
//!
//! Sections in comments are those of RFC 9111 (caching) unless another RFC is named.

pub(crate) mod cache_control;
pub(crate) mod cache_status;
pub(crate) mod conditional;
pub(crate) mod date;
pub(crate) mod etag;
pub(crate) mod fields;
pub(crate) mod freshness;
pub(crate) mod invalidation;
mod list;
pub(crate) mod range;
pub(crate) mod storage;
pub(crate) mod target;
pub(crate) mod vary;
