//! The command line.

use std::path::PathBuf;

/// Printed for `--help` and after a mistake.
pub const USAGE: &str = "\
Measure cache-runtime beside its peers, and write docs/benchmarks.md, its charts, the targets in
docs/internals/performance-targets.md, and docs/benchmarks/latest.json.

  --section <name>  run this section only; may be repeated. `compile-time` runs only if named
  --traces <folder> the traces of the section `hit-ratio`: .txt (one key a line) or .bin (four bytes
                    a key), also as .xz; without a folder, generated ones
  --quick           a smoke run of seconds, which prints and doesn't write
  --write           write after a --quick run, too
  --list            list the sections";

/// The parsed command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    pub sections: Vec<String>,
    pub traces: Option<PathBuf>,
    pub quick: bool,
    pub write: bool,
    pub list: bool,
    pub help: bool,
}

impl Args {
    /// Parse the arguments.
    ///
    /// # Errors
    ///
    /// The message names the mistake.
    pub fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self::default();
        while let Some(arg) = given.next() {
            match arg.as_str() {
                "--section" => args
                    .sections
                    .push(given.next().ok_or("--section needs a name")?),
                "--traces" => {
                    args.traces = Some(given.next().ok_or("--traces needs a folder")?.into());
                }
                "--quick" => args.quick = true,
                "--write" => args.write = true,
                "--list" => args.list = true,
                "--help" | "-h" => args.help = true,
                other => return Err(format!("there is no option `{other}`")),
            }
        }
        args.write |= !args.quick;
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[&str]) -> Result<Args, String> {
        Args::read(given.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn a_smoke_run_writes_only_if_told() {
        assert!(read(&[]).expect("valid").write);
        assert!(!read(&["--quick"]).expect("valid").write);
        assert!(read(&["--quick", "--write"]).expect("valid").write);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            read(&["--section"])
                .expect_err("no name")
                .contains("--section")
        );
        assert!(
            read(&["--traces"])
                .expect_err("no folder")
                .contains("--traces")
        );
        assert!(read(&["--fast"]).expect_err("unknown").contains("--fast"));
    }
}
