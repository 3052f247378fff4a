//! The samples of five Python systems, written for this cache. The page
//! `docs/guide/coming-from-python.md` names the test of each sample; `page` compares the two.
#![allow(missing_docs, clippy::unwrap_used)]

mod admin;
mod child;
mod common;
mod page;
mod quickpost;
mod reports;
mod responses;
mod runam;
mod strategies;
mod table;
