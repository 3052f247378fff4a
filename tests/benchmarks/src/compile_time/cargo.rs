//! What is asked of cargo, and how long it takes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A workspace of programs.
pub(crate) struct Workspace {
    pub(crate) folder: PathBuf,
}

/// What is done with a program.
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
    /// Everything, so that dependencies are there when programs are timed. One by one: cargo gives dependencies the features that
    /// those programs need which it is asked for, so all at once would be others.
    pub(crate) fn prepare(&self, packages: &[&str], steps: &[Step]) {
        for step in steps {
            for package in packages {
                self.run(step.arguments(), &["-p", package]);
            }
        }
    }

    /// Seconds, from nothing of its own.
    pub(crate) fn cold(&self, package: &str, step: Step) -> f64 {
        let clean: Vec<_> = [&["clean"], step.profile()].concat();
        self.run(&clean, &["-p", package]);
        self.warm(package, step)
    }

    /// Seconds, from what is there.
    pub(crate) fn warm(&self, package: &str, step: Step) -> f64 {
        let started = Instant::now();
        self.run(step.arguments(), &["-p", package]);
        started.elapsed().as_secs_f64()
    }

    /// Kilobytes of the program, without symbols where there is a `strip`.
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

    /// Lines of the program when all macros are expanded, as the compiler prints them. That is no stable feature, so the compiler is
    /// told to allow it, in a folder of its own.
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

/// Of this workspace alone: what started this program must not reach into it.
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
