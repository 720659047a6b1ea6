//! A real browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Drives a headless Chromium through `steps` (see `tests/real/browser.mjs`); what it saw after each,
/// and at the end its errors and the addresses that it asked for.
pub fn browse(steps: &Value) -> Vec<Value> {
    let profile = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new("node")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/browser.mjs"))
        .arg(chromium())
        .arg(profile.path())
        .arg(steps.to_string())
        .env("HOME", profile.path())
        .stdin(Stdio::null())
        .output()
        .expect("node is required: tests/run installs it");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The real Chromium: `PFORGE_TEST_CHROMIUM`, or the one on the path.
fn chromium() -> PathBuf {
    if let Some(path) = std::env::var_os("PFORGE_TEST_CHROMIUM").map(PathBuf::from) {
        assert!(path.is_file(), "PFORGE_TEST_CHROMIUM names {}, which is not there", path.display());
        return path;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places =
        std::env::split_paths(&path).flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)));
    let found = places.into_iter().find(|path| path.is_file());
    found.expect("a real Chromium is required: tests/run installs it, or PFORGE_TEST_CHROMIUM names it")
}
