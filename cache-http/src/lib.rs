//! Cached HTTP responses.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The layer will use them.
#[cfg_attr(not(test), allow(dead_code))]
mod rules;
