//! What only a real Redis shows.
#![allow(missing_docs, clippy::unwrap_used)]

mod acl;
mod chaos;
mod common;
mod credentials;
mod everything;
mod faults;
mod globs;
mod idle;
mod index;
mod leases;
mod local;
mod lost_commands;
mod matrix;
mod members;
mod near;
mod neighbours;
mod overtaken;
mod recovery;
mod refusals;
mod replay;
mod round_trips;
mod sentinel;
mod tls;
mod versions;
mod walks;
