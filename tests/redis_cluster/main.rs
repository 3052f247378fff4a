//! Redis Cluster: three masters on loopback, slots that move, and a master that dies.
#![allow(missing_docs, clippy::unwrap_used)]

mod acl;
mod attributes;
mod chaos;
mod common;
mod failover;
mod index;
mod migration;
mod near;
mod operations;
mod scans;
mod warming;
