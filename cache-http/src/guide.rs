//! The guide to cached responses.

// The page is a Markdown file in `docs/guide` of the repository. `docs/http.md` of this crate is a
// symbolic link to it, which `cargo package` follows. This module exists in documentation builds only.
#![cfg_attr(not(all(doctest, not(feature = "axum"))), doc = include_str!("../docs/http.md"))]
