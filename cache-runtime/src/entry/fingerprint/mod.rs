//! A fingerprint of a type's shape as serde shows it: names, fields in their order, variants, kinds.
//!
//! A type is asked to deserialize itself from a tracer that answers every request with a sample and writes
//! down what was asked. (The idea of tracing formats through `Deserialize` is that of the crate
//! `serde-reflection`.) Enums are visited once for each variant. A sample that a type refuses (a text that is
//! no date) is replaced by the next; where none will do, the trace is incomplete, and values of that type are
//! stored self-describing.

mod parts;
mod trace;
mod tracer;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use serde::de::DeserializeOwned;

/// What the tracer found out about a type.
#[derive(Debug, Default)]
pub(crate) struct TypeFacts {
    pub(crate) fingerprint: u64,
    /// The whole shape was seen. Else a change of what wasn't would go unnoticed, so the values must describe
    /// themselves.
    pub(crate) complete: bool,
    /// The whole shape was seen, and nothing in it asks for `deserialize_any`: positional codecs carry it.
    pub(crate) plain: bool,
    /// Name and number of fields of the structs (and struct and tuple variants) in it.
    pub(crate) structs: Vec<(&'static str, usize)>,
    /// The names that a struct asks for, and how many fields it reads: fewer, where some names are aliases.
    pub(crate) fields: Vec<(Names, usize)>,
    /// All of it is of the standard library, which reads what it wrote.
    pub(crate) std_only: bool,
}

/// The names of a struct's fields.
pub(crate) type Names = &'static [&'static str];

/// One trace for each type that is ever stored; never freed, since types aren't.
static KNOWN: LazyLock<RwLock<HashMap<TypeId, &'static TypeFacts>>> =
    LazyLock::new(RwLock::default);

/// The facts about `T`; traced once.
pub(crate) fn of<T: DeserializeOwned + 'static>() -> &'static TypeFacts {
    let id = TypeId::of::<T>();
    if let Some(facts) = KNOWN
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
    {
        return facts;
    }
    // Outside the lock: a `Deserialize` is foreign code. Two threads that trace at once find the same.
    let traced = TypeFacts {
        std_only: is_std_only(type_name::<T>()),
        ..trace::run::<T>()
    };
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known
        .entry(id)
        .or_insert_with(|| Box::leak(Box::new(traced)))
}

/// Whether a type's name tells of nothing but these. A name isn't promised to be a full path; that of a type of the
/// user's never begins like theirs.
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
