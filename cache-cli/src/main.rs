//! `cachectl`: see a cache and steer it from a terminal.

use std::io::{self, Write as _};
use std::process::ExitCode;

use cache_cli::{Args, Command, Target, redact};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use clap_complete::Shell;

/// See a cache and steer it: on Redis, or through the admin API of a service.
#[derive(Parser)]
#[command(name = "cachectl", version)]
struct Cli {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    command: Commands,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Commands {
    #[command(flatten)]
    Cache(Command),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let command = match cli.command {
        Commands::Completions { shell } => return completions(shell),
        Commands::Cache(command) => command,
    };
    // It is about this program, which has no functions, and asks no server.
    let is_topology = matches!(command, Command::Topology(_));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, cli.json, 1),
    };
    let args = Args::new(command).json(cli.json);
    match cli.target.app() {
        Ok(Some(app)) => return runtime.block_on(cache_cli::run_on_app(args, &app)),
        Ok(None) => {}
        Err(error) => return failed(&error, cli.json, 2),
    }
    let cache = match (is_topology, cli.target.cache()) {
        (true, _) => cache_runtime::Cache::builder().build().map_err(Into::into),
        (false, cache) => cache,
    };
    match cache {
        Ok(cache) => runtime.block_on(cache_cli::run(args, &cache)),
        Err(error) => failed(&error, cli.json, 2),
    }
}

/// Print the help, or an error of the command line. clap repeats what was typed, which may be a URL
/// with a password in the wrong place.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let _ = write!(io::stderr(), "{}", redact(&error.render().to_string()));
    ExitCode::from(2)
}

fn failed(error: &dyn std::error::Error, json: bool, code: u8) -> ExitCode {
    let text = redact(&error.to_string());
    let text = match json {
        true => serde_json::json!({ "error": text }).to_string(),
        false => format!("error: {text}"),
    };
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}

fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cachectl", &mut script);
    let _ = io::stdout().write_all(&script);
    ExitCode::SUCCESS
}
