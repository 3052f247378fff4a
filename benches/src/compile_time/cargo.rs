//! Runs cargo and measures it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A workspace of generated programs.
pub(crate) struct Workspace {
    pub(crate) folder: PathBuf,
}

/// A way to compile a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Check,
    Build,
    Release,
}

impl Step {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Check => &["check"],
            Self::Build => &["build"],
            Self::Release => &["build", "--release"],
        }
    }

    fn profile(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release"],
            Self::Check | Self::Build => &[],
        }
    }
}

impl Workspace {
    /// Compile everything, so that dependencies are there when programs are timed. One program at a
    /// time: cargo unifies the features of all programs that it compiles together.
    pub(crate) fn prepare(&self, packages: &[&str], steps: &[Step]) {
        for step in steps {
            for package in packages {
                self.run(step.arguments(), &["-p", package]);
            }
        }
    }

    /// Measure the seconds of a build from scratch, dependencies aside.
    pub(crate) fn cold(&self, package: &str, step: Step) -> f64 {
        let clean: Vec<_> = [&["clean"], step.profile()].concat();
        self.run(&clean, &["-p", package]);
        self.warm(package, step)
    }

    /// Measure the seconds of a build that starts from the last one.
    pub(crate) fn warm(&self, package: &str, step: Step) -> f64 {
        let started = Instant::now();
        self.run(step.arguments(), &["-p", package]);
        started.elapsed().as_secs_f64()
    }

    /// Return the program's kilobytes, without symbols if there is a `strip`.
    pub(crate) fn size(&self, package: &str, step: Step) -> f64 {
        let profile = if step == Step::Release {
            "release"
        } else {
            "debug"
        };
        let built = self.folder.join("target").join(profile).join(package);
        let stripped = self.folder.join("stripped");
        let status = Command::new("strip")
            .arg("-o")
            .arg(&stripped)
            .arg(&built)
            .status();
        let from = if status.is_ok_and(|status| status.success()) {
            stripped
        } else {
            built
        };
        std::fs::metadata(from).expect("it was built").len() as f64 / 1e3
    }

    /// Count the lines of the program with all macros expanded, as the compiler prints them. The
    /// flag is unstable, so the compiler is told to allow it, in a target folder of its own.
    pub(crate) fn expanded_lines(&self, package: &str) -> f64 {
        let output = command(&self.folder)
            .args([
                "rustc",
                "--profile",
                "check",
                "--bin",
                package,
                "-p",
                package,
            ])
            .args([
                "--target-dir",
                "target/expanded",
                "--",
                "-Zunpretty=expanded",
            ])
            .env("RUSTC_BOOTSTRAP", "1")
            .output()
            .expect("cargo runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).lines().count() as f64
    }

    fn run(&self, arguments: &[&str], more: &[&str]) {
        let output = command(&self.folder)
            .args(arguments)
            .args(more)
            .output()
            .expect("cargo runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Build a cargo command that takes no flags from the caller's environment.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    for name in [
        "RUSTFLAGS",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_INCREMENTAL",
    ] {
        command.env_remove(name);
    }
    command
}
