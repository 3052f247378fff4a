//! Cached HTTP responses.

#![cfg_attr(docsrs, feature(doc_cfg))]
