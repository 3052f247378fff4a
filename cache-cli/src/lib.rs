//! See a cache and steer it from a terminal: the program `cachectl`, and the same commands for your
//! own binary.
//!
//! `cachectl` reads entries, lists them, clears them, and looks for problems, on the Redis that a
//! service uses. It knows no functions of the service. A binary of the service that carries the
//! same commands does, and tells which function stored an entry and which writes remove it:
//!
//! ```
//! use std::process::ExitCode;
//! use cache_runtime::Cache;
//! use clap::Parser;
//!
//! #[derive(Parser)]
//! enum Command {
//!     /// Serve.
//!     Serve,
//!     /// See and steer the cache.
//!     Cache(cache_cli::Args),
//! }
//!
//! async fn run(command: Command, cache: &Cache) -> ExitCode {
//!     match command {
//!         Command::Serve => ExitCode::SUCCESS,
//!         Command::Cache(args) => cache_cli::run(args, cache).await,
//!     }
//! }
//!
//! let command = Command::parse_from(["quickpost", "cache", "ls", "posts:*"]);
//! let cache = Cache::builder().build()?;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(command, &cache));
//! # Ok::<(), cache_runtime::CacheError>(())
//! ```
//!
//! The page `docs/operations/cachectl.md` shows each command in use.

mod app;
mod args;
mod clear;
mod doctor;
mod entry;
mod failure;
mod get;
mod interrupt;
mod ls;
mod output;
mod progress;
mod redact;
mod source;
mod stats;
mod target;
#[cfg(feature = "top")]
mod top;
mod topology;
mod warm;
mod watch;

use std::process::ExitCode;

use cache_runtime::Cache;

pub use app::App;
pub use args::{
    Args, ClearArgs, Command, GetArgs, LsArgs, Sort, TopologyArgs, WarmArgs, WatchArgs,
};
pub use redact::redact;
pub use target::{Target, TargetError};

use output::Output;
use source::Source;

/// Run a command on a cache, and return the exit code: 0 if it succeeded, 1 if it failed or found
/// problems, 2 if it can't be run as it was given.
///
/// Writes to standard output, and errors to standard error. `clear` asks on a terminal before it
/// clears.
///
/// ```
/// use cache_cli::{Args, Command};
/// # use cache_runtime::Cache;
///
/// # async fn run() -> Result<(), cache_runtime::CacheError> {
/// let cache = Cache::builder().build()?;
/// let args = Args::new(Command::Stats).json(true);
/// let code = cache_cli::run(args, &cache).await;
/// assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
///
/// # Cancel safety
///
/// A `clear` that has begun finishes without its caller. All other commands change nothing.
pub async fn run(args: Args, cache: &Cache) -> ExitCode {
    run_on(args, Source::Cache(cache)).await
}

/// Run a command on a service, through its admin API, and return the exit code. As [`run`], for a
/// cache that only the service reaches.
///
/// Requests block the calling thread.
///
/// ```no_run
/// use cache_cli::{Args, Command, Target};
///
/// # async fn run() -> Result<(), cache_cli::TargetError> {
/// let mut target = Target::default();
/// target.app = Some("https://blog.example/admin/cache".to_owned());
/// let app = target.app()?.expect("a URL is given");
/// cache_cli::run_on_app(Args::new(Command::Stats), &app).await;
/// # Ok(())
/// # }
/// ```
///
/// # Cancel safety
///
/// A change that was requested happens, whether or not its answer is waited for.
pub async fn run_on_app(args: Args, app: &App) -> ExitCode {
    run_on(args, Source::App(app)).await
}

async fn run_on(args: Args, source: Source<'_>) -> ExitCode {
    let output = Output::new(args.json);
    let done = match &args.command {
        Command::Get(get) => get::run(get, source, &output).await,
        Command::Ls(ls) => ls::run(ls, source, &output).await,
        Command::Clear(clear) => clear::run(clear, source, &output).await,
        Command::Stats => stats::run(source, &output).await,
        #[cfg(feature = "top")]
        Command::Top => top::run(source, &output).await,
        Command::Watch(watch) => watch::run(watch, source, &output).await,
        Command::Warm(warm) => warm::run(warm, source, &output).await,
        Command::Topology(topology) => topology::run(topology, source, &output),
        Command::Doctor => doctor::run(source, &output).await,
    };
    match done {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    }
}
