//! The sections, one a file.

mod fill;
pub mod herd;
mod hit_ratio;
mod http;
mod invalidation;
mod keys;
mod memory_hit;
pub mod memory_per_entry;
mod near_hit;
mod one_store;
mod redis;
mod transactions;
mod two_threads;
mod write;

use crate::compile_time;
use crate::report::Table;
use crate::settings::Settings;

/// A section. It returns tables whose names begin with its own.
pub struct Section {
    pub name: &'static str,
    pub what: &'static str,
    pub run: fn(Settings) -> Vec<Table>,
    /// It runs only if named on the command line.
    pub on_demand: bool,
}

const fn section(
    name: &'static str,
    what: &'static str,
    run: fn(Settings) -> Vec<Table>,
) -> Section {
    Section {
        name,
        what,
        run,
        on_demand: false,
    }
}

/// All sections, in the order of the page.
pub const ALL: &[Section] = &[
    section(
        "one-store",
        "a memory hit of three functions that share a store, nothing warmed",
        one_store::run,
    ),
    section(
        "memory-hit",
        "a memory hit, shared and by value, sync and async",
        memory_hit::run,
    ),
    section(
        "keys",
        "a memory hit by one placeholder, by three, by a hashed struct",
        keys::run,
    ),
    section(
        "near-hit",
        "a near-cache hit beside a memory hit and a Redis hit",
        near_hit::run,
    ),
    section(
        "redis",
        "Redis hits by 1, 64 and 512 callers; miss and fill",
        redis::run,
    ),
    section(
        "fill",
        "an insert in memory, beside 10,000 and 1,000,000 entries",
        fill::run,
    ),
    section(
        "invalidation",
        "invalidate 100 of 10,000 to 1,000,000 keys by pattern",
        invalidation::run,
    ),
    section(
        "write",
        "a write with four patterns on Redis, beside DEL of known keys",
        write::run,
    ),
    section(
        "transactions",
        "a write with `tx`, with and without an outbox; a relay",
        transactions::run,
    ),
    section(
        "herd",
        "a stampede: 1,000 callers of one missing key",
        herd::run,
    ),
    section(
        "http",
        "a cached response through a router of axum, beside the bare handler",
        http::run,
    ),
    section(
        "two-threads",
        "two threads on one hot key",
        two_threads::run,
    ),
    section(
        "memory-per-entry",
        "bytes per entry, in memory and in Redis",
        memory_per_entry::run,
    ),
    section(
        "hit-ratio",
        "hit ratio and time spent on computing, on recorded or generated traces",
        hit_ratio::run,
    ),
    Section {
        on_demand: true,
        ..section(
            "compile-time",
            "compile time, size and expansion of 200 annotated functions",
            compile_time::run,
        )
    },
];

/// Return the named sections; without names, all but those on demand.
///
/// # Errors
///
/// Fails if a name is unknown.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Section>, String> {
    if names.is_empty() {
        return Ok(ALL.iter().filter(|section| !section.on_demand).collect());
    }
    let find = |name: &String| {
        let found = ALL.iter().find(|section| section.name == name);
        found.ok_or_else(|| format!("there is no section `{name}`; `--list` shows all"))
    };
    names.iter().map(find).collect()
}

/// Return the position of a table on the page.
pub fn place(table: &str) -> usize {
    let of = ALL
        .iter()
        .position(|section| table.starts_with(section.name));
    of.unwrap_or(ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_by_its_name() {
        let named = chosen(&["compile-time".to_owned()]).expect("there is one");
        assert_eq!(named[0].name, "compile-time");
        assert!(chosen(&["compile".to_owned()]).is_err());
        assert!(
            chosen(&[])
                .expect("valid")
                .iter()
                .all(|section| !section.on_demand)
        );
    }
}
