//! The cost of an attribute at compile time: 200 annotated functions beside the same ones without.

mod cargo;
mod generate;

use std::path::Path;

use cargo::{Step, Workspace};
use generate::{ALL, CACHED, FUNCTIONS, OURS, PLAIN};

use crate::report::{Goal, Table};
use crate::settings::Settings;
use crate::stats::{Samples, named};

/// The timed steps: the table's name, its title, the step, and whether it is a cold build.
const TIMED: [(&str, &str, Step, bool); 5] = [
    ("check", "cargo check, cold", Step::Check, true),
    (
        "check-incremental",
        "cargo check after a change to one body",
        Step::Check,
        false,
    ),
    ("build", "cargo build, cold", Step::Build, true),
    (
        "build-incremental",
        "cargo build after a change to one body",
        Step::Build,
        false,
    ),
    (
        "release",
        "cargo build --release, cold",
        Step::Release,
        true,
    ),
];

/// Measure all tables.
///
/// # Panics
///
/// Panics if the scratch workspace can't be written or compiled.
pub fn run(settings: Settings) -> Vec<Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/compile-time");
    generate::write(&folder).expect("the target folder is writable");
    let workspace = Workspace { folder };
    // A smoke run skips the release build, which optimizes every dependency.
    let steps: &[Step] = if settings.quick {
        &[Step::Check, Step::Build]
    } else {
        &[Step::Check, Step::Build, Step::Release]
    };
    workspace.prepare(&ALL.map(|program| program.package), steps);
    let rounds = if settings.quick { 1 } else { 3 };
    let mut tables: Vec<Table> = TIMED
        .into_iter()
        .filter(|(_, _, step, _)| steps.contains(step))
        .map(|(name, title, step, cold)| {
            timed(name, title, &measure(&workspace, step, cold, rounds))
        })
        .collect();
    tables.push(sizes(&workspace, steps));
    tables.push(lines(&workspace));
    tables
}

/// Measure the seconds of each program in each round, in turn.
fn measure(workspace: &Workspace, step: Step, cold: bool, rounds: usize) -> Vec<Samples> {
    let mut all = ALL.map(|program| Samples::new(program.name, Vec::new()));
    for round in 0..rounds {
        for turn in 0..ALL.len() {
            let at = (turn + round) % ALL.len();
            let (program, samples) = (&ALL[at], &mut all[at]);
            samples.rounds.push(if cold {
                workspace.cold(program.package, step)
            } else {
                // First bring up to date what the last step left.
                workspace.warm(program.package, step);
                generate::change(&workspace.folder, program, round + 1)
                    .expect("the file is writable");
                workspace.warm(program.package, step)
            });
        }
    }
    if !cold {
        for program in &ALL {
            generate::change(&workspace.folder, program, 0).expect("the file is writable");
        }
    }
    all.to_vec()
}

/// Build the table of seconds, with what each function adds to the program without attributes.
fn timed(name: &str, title: &str, all: &[Samples]) -> Table {
    let added = |of: &str| named(all, of).above(named(all, PLAIN.name)) * 1e3 / FUNCTIONS as f64;
    let title = format!("{title}: {FUNCTIONS} functions");
    let mut table = Table::of(
        &format!("compile-time-{name}"),
        &title,
        "s",
        all,
        PLAIN.name,
    );
    table.remark("ms per function", |row| format!("{:.2}", added(row)));
    // After a change to one body most of the time is the compiler's own, so there is no target.
    let bound = match name {
        "check" => 0.6,
        "build" => 0.75,
        _ => return table,
    };
    let ratio = added(OURS.name) / added(CACHED.name);
    let what = format!("time that a function adds to a cold {name} / cached's");
    table.goal(Goal::at_most(&what, ratio, bound))
}

fn sizes(workspace: &Workspace, steps: &[Step]) -> Table {
    let builds = steps.iter().copied().filter(|step| *step != Step::Check);
    let builds: Vec<Step> = builds.collect();
    // Some programs were removed after they had been built.
    workspace.prepare(&ALL.map(|program| program.package), &builds);
    let mut table = Table::new("compile-time-size", "Size of the program, stripped", "kB");
    for step in builds {
        let profile = if step == Step::Release {
            "release"
        } else {
            "dev"
        };
        let plain = workspace.size(PLAIN.package, step);
        for program in ALL {
            let size = workspace.size(program.package, step);
            let remark = format!("{:.2}", (size - plain) / FUNCTIONS as f64);
            table.push(&format!("{}, {profile}", program.name), size, Some(remark));
        }
    }
    table.remarks = Some("kB per function, library included".to_owned());
    table
}

/// Build the table of lines, which explain the time: the compiler reads each of them for every
/// function.
fn lines(workspace: &Workspace) -> Table {
    let mut table = Table::new(
        "compile-time-lines",
        "Lines that an attribute adds to a function",
        "lines",
    );
    let plain = workspace.expanded_lines(PLAIN.package);
    for program in ALL
        .iter()
        .filter(|program| program.package != PLAIN.package)
    {
        let more = workspace.expanded_lines(program.package) - plain;
        table.push(program.name, more / FUNCTIONS as f64, None);
    }
    let snapshot = include_str!("../../../cache-macros/tests/snapshots/plain_async.expanded.rs");
    let lines = snapshot.lines().count() as f64;
    table.push("cache-runtime, the snapshot plain_async", lines, None);
    table.goal(Goal::at_most(
        "lines of one function's expansion, without companions",
        lines,
        39.0,
    ))
}
