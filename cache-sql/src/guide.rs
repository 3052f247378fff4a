//! The guide to database transactions.

// The page is a Markdown file in `docs/guide` of the repository, beside those of `cache-runtime`.
// `docs/transactions.md` of this crate is a symbolic link to it, which `cargo package` follows. This
// module exists in documentation builds only, so nothing else depends on the link. The page's
// definitions of links name files, and the first definition of a label counts.
#![doc = "

[Invalidation]: https://docs.rs/cache-runtime/latest/cache_runtime/guide/invalidation/index.html#what-remains-possible
[dead-patterns]: https://docs.rs/cache-runtime/latest/cache_runtime/guide/testing/index.html#find-dead-patterns
"]
#![doc = include_str!("../docs/transactions.md")]
