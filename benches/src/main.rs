//! `cargo run --release --manifest-path benches/Cargo.toml` measures, prints, and writes
//! `docs/benchmarks.md`.

use std::process::ExitCode;
use std::time::Instant;

use benchmarks::args::{Args, USAGE};
use benchmarks::machine::Machine;
use benchmarks::report::{self, markdown};
use benchmarks::sections;
use benchmarks::settings::Settings;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistake) => {
            eprintln!("{mistake}\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let args = Args::read(std::env::args().skip(1))?;
    if args.help {
        println!("{USAGE}");
        return Ok(());
    }
    if args.list {
        sections::ALL
            .iter()
            .for_each(|section| println!("{:<22}{}", section.name, section.what));
        return Ok(());
    }
    let machine = Machine::this();
    println!("{}", markdown::machine(&machine));
    let settings = Settings {
        quick: args.quick,
        // Once for the program.
        traces: args
            .traces
            .map(|folder| &*Box::leak(folder.into_boxed_path())),
    };
    let mut tables = Vec::new();
    for section in sections::chosen(&args.sections)? {
        let started = Instant::now();
        for table in (section.run)(settings) {
            println!("## {}\n\n{}", table.title, markdown::table(&table));
            tables.push(table);
        }
        println!("({} took {:.0?})\n", section.name, started.elapsed());
    }
    if args.write {
        report::write(&report::docs(), &machine, &tables, sections::place)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
