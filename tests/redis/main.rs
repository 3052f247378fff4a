//! Behaviour that only a real Redis shows: faults, recovery, rights, TLS, Sentinel, the near cache.
#![allow(missing_docs, clippy::unwrap_used)]

mod acl;
mod all_operations;
mod chaos;
mod credentials;
mod fault_matrix;
mod faults;
mod globs;
mod idle;
mod index;
mod index_members;
mod leases;
mod missing_commands;
mod near;
mod per_runtime;
mod queued_invalidations;
mod recovery;
mod refusals;
mod replay;
mod round_trips;
mod scans;
mod sentinel;
mod shared_server;
mod tls;
mod versions;
