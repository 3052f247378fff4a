//! What is measured, one section a file.

mod fill;
pub mod herd;
mod invalidation;
mod keys;
mod memory_hit;
pub mod memory_per_entry;
mod near_hit;
mod redis;
mod two_threads;

use std::future::Future;

use tokio::runtime::Runtime;

use crate::compile_time;
use crate::report::Table;
use crate::round::Plan;

/// How thoroughly.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub quick: bool,
}

impl Settings {
    /// So many rounds of so many calls; a smoke run makes a few.
    fn plan(self, rounds: usize, batch: usize) -> Plan {
        let (warm_up, rounds) = if self.quick {
            (1, 5)
        } else {
            (rounds / 10 + 2, rounds)
        };
        Plan {
            warm_up,
            rounds,
            batch,
            lead: false,
            all_first: false,
        }
    }

    /// A size: a smoke run takes a smaller one.
    fn of(self, whole: usize, quick: usize) -> usize {
        if self.quick { quick } else { whole }
    }
}

/// One section: it gives one table or several, whose names begin with its own.
pub struct Section {
    pub name: &'static str,
    pub what: &'static str,
    pub run: fn(Settings) -> Vec<Table>,
    /// Whether it runs only if it is named.
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

/// In the order of the page.
pub const ALL: &[Section] = &[
    section(
        "memory-hit",
        "a hit in memory, shared and by value, sync and async",
        memory_hit::run,
    ),
    section(
        "keys",
        "a hit in memory by one placeholder, by three, by a hashed struct",
        keys::run,
    ),
    section(
        "near-hit",
        "a hit in memory in front of Redis",
        near_hit::run,
    ),
    section(
        "redis",
        "on Redis: hits by 1, 64 and 512 callers; miss and fill",
        redis::run,
    ),
    section(
        "fill",
        "a new entry in memory, at 10,000 and at 1,000,000",
        fill::run,
    ),
    section(
        "invalidation",
        "100 of 10,000 to 1,000,000 keys by a pattern",
        invalidation::run,
    ),
    section("herd", "1,000 callers of one missing key", herd::run),
    section(
        "two-threads",
        "two threads on one hot key",
        two_threads::run,
    ),
    section(
        "memory-per-entry",
        "bytes an entry, in memory and in Redis",
        memory_per_entry::run,
    ),
    Section {
        on_demand: true,
        ..section(
            "compile-time",
            "200 annotated functions: time, size, lines",
            compile_time::run,
        )
    },
];

/// Those of these names; without names, all that don't wait to be named.
///
/// # Errors
///
/// If there is none of a name.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Section>, String> {
    if names.is_empty() {
        return Ok(ALL.iter().filter(|section| !section.on_demand).collect());
    }
    let find = |name: &String| {
        let found = ALL.iter().find(|section| section.name == name);
        found.ok_or_else(|| format!("there is no section `{name}`; --list names all"))
    };
    names.iter().map(find).collect()
}

/// Where a table stands on the page.
pub fn place(table: &str) -> usize {
    let of = ALL
        .iter()
        .position(|section| table.starts_with(section.name));
    of.unwrap_or(ALL.len())
}

/// For what never waits: memory.
fn one_thread() -> Runtime {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.expect("a runtime can be made")
}

/// As a service has it.
fn all_threads() -> Runtime {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    built.expect("a runtime can be made")
}

/// Runs it as a task of the runtime, where a service's requests run.
fn as_task<F>(runtime: &Runtime, work: F) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    runtime.block_on(async { tokio::spawn(work).await.expect("it doesn't panic") })
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
