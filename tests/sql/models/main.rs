//! Models: triggers write into the outbox what a model says, and hooks add it to a transaction.

mod database;
mod dialects;
mod escape;
mod hooks;
mod model;
mod relay;
mod writes;
