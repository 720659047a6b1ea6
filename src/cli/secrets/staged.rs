//! What git is about to commit, as far as it may be secret.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::error::{Error, Result};

/// A file in git's index.
#[derive(Debug)]
pub struct Staged {
    /// Its path from the top of the work tree.
    pub name: String,
    /// Where it stands.
    pub path: PathBuf,
    /// What will be committed; not what stands in the work tree.
    pub bytes: Vec<u8>,
}

/// Ends of names of source code and documentation. Such a file under a path with "secret" in it
/// speaks of secrets; it is no home for one, and SOPS could not encrypt it anyway.
const SOURCES: [&str; 34] = [
    "rs", "py", "pyi", "js", "mjs", "cjs", "ts", "tsx", "jsx", "go", "rb", "java", "kt", "c", "h", "cc", "cpp", "hpp",
    "cs", "swift", "sh", "bash", "zsh", "fish", "ps1", "md", "rst", "adoc", "html", "css", "svg", "png", "snap", "sql",
];

/// Names of files that belong to git, SOPS or formatters.
const TOOLS: [&str; 7] =
    [".sops.yaml", ".sops.yml", ".gitignore", ".gitattributes", ".gitkeep", ".prettierignore", ".dockerignore"];

/// The staged files that were added or changed and whose path contains "secret", without those
/// that are source code, documentation, or public keys by their name.
///
/// # Errors
/// When git is missing or this is no repository.
pub fn secrets() -> Result<Vec<Staged>> {
    // --raw tells the mode: a link and a submodule have no content of their own.
    let raw = git(&[
        "diff",
        "--cached",
        "--raw",
        "--no-renames",
        "--no-relative",
        "--no-abbrev",
        "-z",
        "--diff-filter=ACMT",
    ])?;
    let raw = String::from_utf8_lossy(&raw).into_owned();
    let top = String::from_utf8_lossy(&git(&["rev-parse", "--show-toplevel"])?).trim_end().to_owned();
    let mut fields = raw.split('\0');
    let mut staged = Vec::new();
    while let (Some(what), Some(path)) = (fields.next(), fields.next()) {
        let mut words = what.split(' ').skip(1);
        let (mode, blob) = (words.next().unwrap_or_default(), words.nth(1).unwrap_or_default());
        if mode.starts_with("100") && path.contains("secret") && !is_public_name(path) {
            let bytes = git(&["cat-file", "blob", blob])?;
            staged.push(Staged { name: path.to_owned(), path: Path::new(&top).join(path), bytes });
        }
    }
    Ok(staged)
}

/// Whether a file of this name is source code, documentation, or a public key.
fn is_public_name(path: &str) -> bool {
    let path = Path::new(path);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    TOOLS.contains(&name)
        || SOURCES.contains(&end)
        || end == "pub"
        || ["README", "LICENSE"].iter().any(|start| name.starts_with(start))
}

/// What git prints. Paths are those of the top of the work tree, wherever this runs.
fn git(args: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("git").args(args).stdin(Stdio::null()).output();
    let output = output.map_err(|error| Error::failure("git does not start").caused_by(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let told = told.lines().next().unwrap_or_default().trim_start_matches("fatal: ").to_owned();
    Err(Error::failure("git does not tell what is staged").because(told))
}

#[cfg(test)]
mod tests {
    use super::is_public_name;

    #[test]
    fn names_tell_what_may_hold_a_secret() {
        for (path, public) in [
            ("secrets/config.a.yaml", false),
            ("secrets/key.pem", false),
            ("secrets/id_ed25519", false),
            ("my-secret.txt", false),
            ("secrets/.env", false),
            ("secrets/README", true),
            ("secrets/README.md", true),
            ("src/secrets.rs", true),
            ("secrets/id_ed25519.pub", true),
            ("secrets/.sops.yaml", true),
        ] {
            assert_eq!(is_public_name(path), public, "{path}");
        }
    }
}
