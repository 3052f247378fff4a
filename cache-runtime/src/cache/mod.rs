//! The handle's explicit operations, for code without an attribute.

mod blocking;
mod bulk;
mod diagnosis;
mod examine;
mod get_or_set;
mod health;
mod inspect;
mod many;
mod ops;
mod owners;
mod pages;
mod read;
mod store_stats;
mod traced;
mod watch;
mod write_through;

pub use blocking::BlockingCache;
pub use bulk::KeyAndValue;
pub use diagnosis::{Diagnosis, MissingRight, ServerFacts};
pub use examine::Examination;
pub use health::Health;
pub use inspect::{InspectedKind, Inspection};
pub use owners::OwnerStats;
pub use pages::{EntriesLevel, EntriesPage, KeyBranch};
pub use read::{Fill, Found, Freshness, ReadBuilder, Reading};
pub use store_stats::StoreStats;
