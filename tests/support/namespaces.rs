//! Disks of a test's own, mounted in a namespace where nothing of it is felt outside.

use std::process::Command;

/// Whether they can be made. Where they cannot, it says so, and in CI that is a failure.
#[track_caller]
pub(crate) fn can_be_made() -> bool {
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount"])
        .args(["mount", "-t", "tmpfs", "disk", "/mnt"])
        .output()
        .expect("unshare, of util-linux");
    if output.status.success() {
        return true;
    }
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    let remedy =
        "as root, or after `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, it is not";
    assert!(
        std::env::var_os("CI").is_none(),
        "namespaces cannot be made ({why}); {remedy}"
    );
    say(&format!(
        "LEFT OUT: namespaces cannot be made ({}); {remedy}",
        why.trim()
    ));
    false
}

/// Past the test runner, which keeps what a passing test prints to itself.
fn say(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{what}");
}
