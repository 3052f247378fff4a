//! The commands and their options.

use clap::{ArgGroup, ValueEnum};

/// The commands, for a program's own command line: `#[command(flatten)]` in a struct, or a variant
/// of an enum of subcommands.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Args {
    /// Create the arguments of a command.
    ///
    /// ```
    /// use cache_cli::{Args, Command};
    ///
    /// let args = Args::new(Command::Stats).json(true);
    /// ```
    pub fn new(command: Command) -> Self {
        Self {
            command,
            json: false,
        }
    }

    /// Set whether to print JSON. Default: text.
    ///
    /// ```
    /// # use cache_cli::{Args, Command};
    /// let args = Args::new(Command::Doctor).json(true);
    /// ```
    #[must_use]
    pub fn json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }
}

/// A command.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Show what is at a key: the entry's facts, and its value.
    Get(GetArgs),
    /// List the entries that a pattern matches.
    Ls(LsArgs),
    /// Remove entries.
    Clear(ClearArgs),
    /// Show the counters of all processes, by function.
    Stats,
    /// Show all processes and functions on one screen, until `q`.
    #[cfg(feature = "top")]
    Top,
    /// Show fills, removals and expiries as they happen, until Ctrl-C.
    Watch(WatchArgs),
    /// Run a warmer of the service, or list its warmers.
    Warm(WarmArgs),
    /// Show which functions are cached, and which writes remove their entries.
    Topology(TopologyArgs),
    /// Look for problems. The exit code is 1 if there are any.
    Doctor,
}

/// Options of `get`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct GetArgs {
    /// The key, with or without the prefix: `posts:42`.
    pub key: String,
    /// Write the value's bytes as they are stored (uncompressed), and nothing else.
    #[arg(long, conflicts_with = "json")]
    pub raw: bool,
}

/// Options of `ls`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct LsArgs {
    /// A glob over paths: `posts:*`.
    #[arg(default_value = "*")]
    pub pattern: String,
    /// Show a tree of the paths' segments, with the number of entries and their bytes.
    #[arg(long)]
    pub tree: bool,
    /// Order of the entries: shortest TTL, largest size or highest age first. Default: by name.
    #[arg(long, value_enum)]
    pub sort: Option<Sort>,
    /// Show this many entries at most.
    #[arg(long, default_value_t = 100)]
    pub limit: usize,
}

/// Order of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[non_exhaustive]
pub enum Sort {
    /// Shortest remaining TTL first.
    Ttl,
    /// Largest first.
    Size,
    /// Oldest first.
    Age,
}

/// Options of `clear`.
#[derive(Clone, Debug, clap::Args)]
#[command(group(ArgGroup::new("clear_what").required(true).args(["all", "pattern", "function"])))]
#[non_exhaustive]
pub struct ClearArgs {
    /// Remove every entry of the prefix.
    #[arg(long)]
    pub all: bool,
    /// Remove the entries that this glob over paths matches: `posts:42:*`.
    #[arg(long)]
    pub pattern: Option<String>,
    /// Remove the entries of this function of the program: its name, or its module and name.
    #[arg(long)]
    pub function: Option<String>,
    /// Show what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// Options of `watch`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct WatchArgs {
    /// A glob over paths: `posts:*`.
    #[arg(default_value = "*")]
    pub pattern: String,
}

/// Options of `warm`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct WarmArgs {
    /// The warmer, as `#[warmer("popular")]` names it. Without one, the warmers are listed.
    pub name: Option<String>,
    /// Its arguments (`warm.args()`). One that begins with `-` comes after `--`.
    pub args: Vec<String>,
}

/// Options of `topology`.
#[derive(Clone, Debug, clap::Args)]
#[non_exhaustive]
pub struct TopologyArgs {
    /// Print a Mermaid diagram.
    #[arg(long, conflicts_with = "json")]
    pub mermaid: bool,
}
