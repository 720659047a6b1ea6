//! The files with secrets: who may read them, and whether git would take one along in clear.

use std::path::{Path, PathBuf};

use crate::cli::cx::Cx;
use crate::cli::secrets::{git, targets};
use crate::secrets::{Format, is_encrypted};

/// What is known of the files.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Files in clear or with identities that others on this machine may read.
    pub loose: Vec<PathBuf>,
    /// Files in clear that `git add` would take along.
    pub exposed: Vec<PathBuf>,
    /// How many were looked at.
    pub looked_at: usize,
}

/// Looks at the files in `secrets/` and at the identities.
pub fn look(cx: &Cx) -> Files {
    let mut files = Files::default();
    for path in targets::all(cx).unwrap_or_default() {
        files.looked_at += 1;
        if is_sealed(&path) {
            continue;
        }
        if git::would_be_added(&path) {
            files.exposed.push(path.clone());
        }
        if is_loose(&path) {
            files.loose.push(path);
        }
    }
    for path in identities(cx) {
        files.looked_at += 1;
        if git::would_be_added(&path) {
            files.exposed.push(path.clone());
        }
        if is_loose(&path) {
            files.loose.push(path);
        }
    }
    files
}

fn is_sealed(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| is_encrypted(Format::of(path), &bytes))
}

/// The files with identities that are there.
fn identities(cx: &Cx) -> Vec<PathBuf> {
    let home = cx.env.path("XDG_CONFIG_HOME").or_else(|| cx.env.path("HOME").map(|home| home.join(".config")));
    let places = [
        cx.env.path("SOPS_AGE_KEY_FILE"),
        home.map(|home| home.join("sops/age/keys.txt")),
        Some(cx.settings.root.value.join("key.txt")),
    ];
    places.into_iter().flatten().filter(|path| path.is_file()).collect()
}

#[cfg(unix)]
fn is_loose(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_loose(_: &Path) -> bool {
    false
}
