//! The page `secrets/README.md`: what it shows is what happens, in an empty home and an empty
//! folder, with pforge, git and the real sops.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::env::PFORGE;
use crate::support::page::{check, replaced};
use crate::support::sops::sops;

/// Waits for the next second: `lastmodified` counts seconds, and a change within the same one would
/// not show in a diff.
const NEXT_SECOND: &str = "now=$(date +%s); while [ $(date +%s) = $now ]; do sleep 0.05; done";

fn after(command: &str) -> Option<String> {
    let commits = command.contains("git commit") || command.contains("encrypt -i");
    commits.then(|| NEXT_SECOND.to_owned())
}

fn run(script: &str) -> String {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["alice", "alice/feedstock", "bin"] {
        fs::create_dir(at(name)).unwrap();
    }
    symlink(PFORGE, at("bin/pforge")).unwrap();
    symlink(sops().get_program(), at("bin/sops")).unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", at("bin").display());
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(at("alice/feedstock"))
        .env_clear()
        .env("HOME", at("alice"))
        .env("PATH", path)
        .env("LANG", "C.UTF-8")
        .env("SOPS_DISABLE_VERSION_CHECK", "1")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Alice")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "alice@example.org")))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output()
        .expect("sh starts");
    String::from_utf8(output.stdout).unwrap().replace(&at("alice").display().to_string(), "/home/alice")
}

/// Without what differs from run to run.
fn steady(text: &str) -> String {
    let rules = [
        (r"age1[0-9a-z]{58}", "age1KEY"),
        (r"age1[0-9a-z]*…", "age1KEY"),
        (r"AGE-SECRET-KEY-1[0-9A-Z]+", "AGE-SECRET-KEY"),
        (r"ENC\[AES256_GCM,[^\n]*", "ENC[…"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", "NOW"),
        (r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "NOW"),
        (r"\b[0-9a-f]{7,40}\b", "HASH"),
        (r"sha256:[0-9a-fHAS]+", "sha256:HASH"),
        // Two edits in one second have the same `lastmodified`; the count itself is tested with the edits.
        (r"\| +\d+ [+-]+", "| LINES"),
        (r"\d+ insertions\(\+\), \d+ deletions\(-\)", "LINES"),
        (r"(?m)[ \t]+$", ""),
    ];
    replaced(text, &rules)
}

#[test]
fn shows_what_happens() {
    check("secrets/README.md", 20, run, steady, &after);
}
