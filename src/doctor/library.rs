//! Whether a library can be worked with.

use std::path::Path;

use rustix::fs::{Access, access, statfs};

use super::Findings;
use crate::library::{deaf, root_identity};

/// File systems on which names that differ in case only are one file, by the number that the kernel gives them.
const WITHOUT_CASE: [(u32, &str); 4] = [
    (0x4d44, "FAT"),
    (0x2011_bab0, "exFAT"),
    (0x5346_544e, "NTFS"),
    (0x7366_746e, "NTFS"),
];

/// Whether the library is there, and may be read and written.
pub fn library(findings: &mut Findings, root: &Path) {
    let away = "connect or mount its disk, or set `[library] path`";
    if let Err(problem) = root_identity(root) {
        return findings.problem("library", problem.to_string(), Some(away));
    }
    if let Err(error) = std::fs::read_dir(root) {
        return findings.problem(
            "library",
            format!("`{}` cannot be read: {error}", root.display()),
            Some("give the user that runs storyline the right to read and enter it"),
        );
    }
    if let Err(error) = access(root, Access::WRITE_OK | Access::EXEC_OK) {
        return findings.warning(
            "library",
            format!("`{}` cannot be written: {error}", root.display()),
            "pictures sent to the bot find no place there: give the user that runs storyline the right to write",
        );
    }
    findings.ok("library", root.display().to_string());
    if let Some(reason) = deaf(root) {
        let walks = Some("it is walked every now and then; `storyline media index` looks at once");
        findings.note("library", reason, walks);
    }
    let kind = statfs(root).map(|system| system.f_type as u32).ok();
    if let Some((_, name)) = WITHOUT_CASE
        .iter()
        .find(|(number, _)| Some(*number) == kind)
    {
        findings.note(
            "library",
            format!("it lies on {name}, where names that differ in case only are one file"),
            None,
        );
    }
}
