//! A fingerprint of a type's shape as serde shows it: names, field order, variants, kinds.
//!
//! A type deserializes itself from a tracer that answers every request with a sample and records
//! the requests. (Tracing formats through `Deserialize` is an idea of the crate
//! `serde-reflection`.) Enums are visited once for each variant. A sample that a type refuses (a
//! text that isn't a date) is replaced by the next. If none is accepted, the trace is incomplete,
//! and values of that type are stored self-describing.

mod shape;
mod trace;
mod tracer;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::de::DeserializeOwned;

use crate::sync::LazyLock;
use tracer::Tracer;

/// Facts that the tracer found about a type.
#[derive(Debug, Default)]
pub(crate) struct TypeFacts {
    pub(crate) fingerprint: u64,
    /// Whether the whole shape was seen. Otherwise a change of the unseen part would go unnoticed,
    /// so the values must be self-describing.
    pub(crate) complete: bool,
    /// Whether the whole shape was seen and no part of it requests `deserialize_any`: positional
    /// codecs can carry it.
    pub(crate) plain: bool,
    /// The shape as a text, for people.
    pub(crate) shape: String,
    /// Name and number of fields of the structs (and struct and tuple variants) in it.
    pub(crate) structs: Vec<(&'static str, usize)>,
    /// The names that a struct requests, and the number of fields it reads: smaller if some names
    /// are aliases.
    pub(crate) fields: Vec<(Names, usize)>,
    /// Whether the type consists of standard library types only, which read back what they write.
    pub(crate) std_only: bool,
}

/// The names of a struct's fields.
pub(crate) type Names = &'static [&'static str];

/// One trace for each type that was ever stored. Never freed, since types aren't either.
static KNOWN: LazyLock<RwLock<HashMap<TypeId, &'static TypeFacts>>> =
    LazyLock::new(RwLock::default);

/// Return the facts about `T`, tracing it on the first call.
pub(crate) fn of<T: DeserializeOwned + 'static>() -> &'static TypeFacts {
    let id = TypeId::of::<T>();
    if let Some(facts) = KNOWN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
    {
        return facts;
    }
    // Outside the lock: a `Deserialize` is foreign code. Two threads that trace at once get the
    // same result.
    let traced = TypeFacts {
        std_only: is_std_only(type_name::<T>()),
        ..trace::run(|trace| T::deserialize(Tracer::new(trace)).is_ok())
    };
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known
        .entry(id)
        .or_insert_with(|| Box::leak(Box::new(traced)))
}

/// Return the shape with this fingerprint, if a value of such a type was stored or read by this
/// process.
pub(crate) fn shape(fingerprint: u64) -> Option<&'static str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut known = known.values();
    let found = known.find(|facts| facts.plain && facts.fingerprint == fingerprint);
    found.map(|facts| facts.shape.as_str())
}

/// Return the shapes of all types that positional codecs have carried in this process, each with
/// its fingerprint.
#[cfg(feature = "redis")]
pub(crate) fn shapes() -> Vec<(u64, &'static str)> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let plain = known.values().filter(|facts| facts.plain);
    plain
        .map(|facts| (facts.fingerprint, facts.shape.as_str()))
        .collect()
}

/// Return whether a type's name consists of standard library types only. A name isn't guaranteed to
/// be a full path, but that of a user's type never begins like theirs.
fn is_std_only(name: &str) -> bool {
    let mut words = name.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    words.all(|word| {
        matches!(
            word,
            "" | "bool"
                | "char"
                | "str"
                | "u8"
                | "u16"
                | "u32"
                | "u64"
                | "u128"
                | "usize"
                | "i8"
                | "i16"
                | "i32"
                | "i64"
                | "i128"
                | "isize"
                | "f32"
                | "f64"
                | "alloc::string::String"
                | "alloc::vec::Vec"
                | "alloc::boxed::Box"
                | "alloc::sync::Arc"
                | "core::option::Option"
                | "core::result::Result"
                | "core::time::Duration"
                | "alloc::collections::btree::map::BTreeMap"
                | "alloc::collections::btree::set::BTreeSet"
                | "std::collections::hash::map::HashMap"
                | "std::collections::hash::set::HashSet"
                | "std::hash::random::RandomState"
                | "alloc::alloc::Global"
        ) || word.bytes().all(|byte| byte.is_ascii_digit())
    })
}
