//! What git knows of a file. Without git, or outside of a repository, it knows nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The bytes of `path` in the last commit, as they are stored.
pub fn at_head(path: &Path) -> Option<Vec<u8>> {
    at(path, "HEAD")
}

/// The bytes of `path` in `version`, as they are stored.
pub fn at(path: &Path, version: &str) -> Option<Vec<u8>> {
    let name = path.file_name()?.to_str()?;
    let output = git(path).args(["cat-file", "blob", &format!("{version}:./{name}")]).output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// The versions in which `path` was changed, from `HEAD` back, and the one that is being merged.
pub fn versions(path: &Path, limit: usize) -> Vec<String> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let limit = format!("-n{limit}");
    let log = |from: &str| {
        let mut command = git(path);
        command.args(["log", "--full-history", "--format=%h", &limit, from, "--"]).arg(name);
        let output = command.output().ok().filter(|output| output.status.success());
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut versions = vec!["HEAD".to_owned(), "MERGE_HEAD".to_owned()];
    versions.extend(log("HEAD"));
    versions
}

/// Whether the next `git add .` would take `path` along: it lies in a work tree and nothing ignores
/// it.
pub fn would_be_added(path: &Path) -> bool {
    let answers = |command: &mut Command| command.output().ok().filter(|output| output.status.success());
    let inside = answers(git(path).args(["rev-parse", "--is-inside-work-tree"]));
    if inside.is_none_or(|output| output.stdout.trim_ascii() != b"true") {
        return false;
    }
    let Some(name) = path.file_name() else { return false };
    // 0 is ignored, 1 is not.
    let ignored = git(path).args([OsStr::new("check-ignore"), OsStr::new("-q"), OsStr::new("--"), name]).output();
    ignored.is_ok_and(|output| output.status.code() == Some(1))
}

/// `git` in the folder of `path`.
fn git(path: &Path) -> Command {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder =
        real.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), PathBuf::from);
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).stdin(Stdio::null());
    command
}
