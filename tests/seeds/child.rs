//! Tests that need an environment of their own: each starts this program again to run itself alone.

use std::process::Command;

const CHILD: &str = "CACHE_TEST_IS_CHILD";

/// Whether this process is such a child.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Run one test in a child process with these variables.
#[track_caller]
pub(crate) fn rerun(test: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CACHE_")) {
        command.env_remove(name);
    }
    let command = command.env_remove("REDIS_URL").env(CHILD, "1");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{variables:?}: {said}{complained}");
}
