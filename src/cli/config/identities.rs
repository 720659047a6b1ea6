//! Where age identities are looked for: the places that SOPS looks at.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::env::Env;
use crate::secrets::OldIdentities as Identities;

/// The identities that the environment and the default key file give, and a line for each place
/// that was looked at.
pub fn collect(env: &Env) -> (Identities, Vec<String>) {
    let mut identities = Identities::default();
    let mut places = Vec::new();
    match env.get("SOPS_AGE_KEY") {
        Some(text) => {
            identities.add("$SOPS_AGE_KEY", text);
            places.push("$SOPS_AGE_KEY".to_owned());
        }
        None => places.push("$SOPS_AGE_KEY is not set".to_owned()),
    }
    match env.path("SOPS_AGE_KEY_FILE") {
        Some(path) => {
            add_file(&mut identities, &path);
            places.push(path.display().to_string());
        }
        None => places.push("$SOPS_AGE_KEY_FILE is not set".to_owned()),
    }
    for path in default_files(env) {
        if path.exists() {
            add_file(&mut identities, &path);
            places.push(path.display().to_string());
        } else {
            places.push(format!("{} does not exist", path.display()));
        }
    }
    (identities, places)
}

fn add_file(identities: &mut Identities, path: &Path) {
    match fs::read_to_string(path) {
        Ok(text) => identities.add(&path.display().to_string(), &text),
        Err(error) => identities.problem(format!("{}: {error}", path.display())),
    }
}

/// `sops/age/keys.txt` in the user's config folder.
fn default_files(env: &Env) -> Vec<PathBuf> {
    let folder = env.path("XDG_CONFIG_HOME").or_else(|| {
        if cfg!(windows) {
            env.path("APPDATA")
        } else if cfg!(target_os = "macos") {
            Some(env.path("HOME")?.join("Library/Application Support"))
        } else {
            Some(env.path("HOME")?.join(".config"))
        }
    });
    folder.map(|folder| folder.join("sops/age/keys.txt")).into_iter().collect()
}
