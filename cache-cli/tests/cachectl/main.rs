//! The program `cachectl` on real Redis servers, and on services.

mod app;
mod clear;
mod command_line;
mod deployments;
mod doctor;
mod entries;
mod million;
mod program;
mod stats;
mod watch;
