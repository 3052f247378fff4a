//! What the command line says.

/// Printed for `--help`, and after a mistake.
pub const USAGE: &str = "\
Measures ours beside the peers and writes docs/benchmarks.md, its charts and docs/benchmarks/latest.json.

  --section <name>  only this one; may be given several times. `compile-time` runs only if it is named
  --quick           a smoke run of seconds, that prints and does not write
  --write           writes after a --quick run too
  --list            the sections";

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    pub sections: Vec<String>,
    pub quick: bool,
    pub write: bool,
    pub list: bool,
    pub help: bool,
}

impl Args {
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self::default();
        while let Some(arg) = given.next() {
            match arg.as_str() {
                "--section" => args
                    .sections
                    .push(given.next().ok_or("--section needs a name")?),
                "--quick" => args.quick = true,
                "--write" => args.write = true,
                "--list" => args.list = true,
                "--help" | "-h" => args.help = true,
                other => return Err(format!("`{other}` means nothing here")),
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
        assert!(read(&["--fast"]).expect_err("unknown").contains("--fast"));
    }
}
