//! Values: what is stored of a return type, and that bytes are never decoded as another type.

mod codec;
mod compression;
mod depth;
mod errors;
mod max_value_bytes;
mod misread;
mod return_types;
mod round_trip;
mod serde_shapes;
mod shape_changes;
mod too_large_logged;
mod wrapper;
