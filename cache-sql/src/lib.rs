//! Database transactions for [`cache_runtime`]: invalidate after COMMIT, cache nothing that was
//! never committed, and lose nothing in a crash.

#![cfg_attr(docsrs, feature(doc_cfg))]
