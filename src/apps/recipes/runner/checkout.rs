//! Fetching a feedstock at a commit through GitHub's API: also of a private repository and of a
//! fork that is deleted, and the program needs neither a network nor credentials for it.
//!
//! Anybody can open a pull request: what is fetched is bounded, and nothing of it is written
//! outside of its folder.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::launch::Trouble;
use crate::github::api::trees::{Tree, TreeEntry};
use crate::github::{self, Repository};

/// More files are refused.
const FILES_MAX: usize = 2000;
/// More bytes are refused, of all files together.
const BYTES_MAX: u64 = 50 * 1024 * 1024;

/// Which feedstock, at which commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit<'a> {
    /// Web address of the repository that holds the commit.
    pub repo_html_url: &'a str,
    /// Commit.
    pub sha: &'a str,
    /// Folder of the feedstock when it is not the default `feedstock`.
    pub feedstock_subdir: Option<&'a str>,
    /// The repository that the App is installed on; it also holds the commits of pull requests.
    pub base_full_name: &'a str,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

impl<'a> Commit<'a> {
    /// The feedstock's folder.
    pub(super) fn folder(&self) -> &'a str {
        self.feedstock_subdir.unwrap_or("feedstock")
    }
}

/// A file to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    path: PathBuf,
    sha: String,
    program: bool,
}

/// Puts the feedstock's folder below `into`, at its own path. Its `meta.yaml`.
pub(super) async fn fetch(github: &github::Client, commit: &Commit<'_>, into: &Path) -> Result<Vec<u8>, Trouble> {
    let broken = |error: std::io::Error| Trouble::Broken(format!("cannot write the feedstock: {error}"));
    let repository = github.repository(commit.base_full_name, commit.installation_id);
    let folder = commit.folder();
    let wanted = plan(folder, &find(&repository, commit.sha, folder).await?)?;
    let into = into.join(folder);
    std::fs::create_dir_all(&into).map_err(broken)?;
    let (mut meta, mut left) = (None, BYTES_MAX);
    for file in wanted {
        let bytes = repository.blob(&file.sha).await.map_err(Trouble::GitHub)?;
        // The sizes of the tree were added up before; this is what came.
        left = left.checked_sub(bytes.len() as u64).ok_or_else(|| too_big(folder))?;
        write(&into.join(&file.path), &bytes, file.program).map_err(broken)?;
        if file.path == Path::new("meta.yaml") {
            meta = Some(bytes);
        }
    }
    meta.ok_or_else(|| Trouble::Feedstock(format!("{folder}/meta.yaml: there is no such file at {}", commit.sha)))
}

/// The tree of a folder, with all that is below it.
async fn find(repository: &Repository, commit: &str, folder: &str) -> Result<Tree, Trouble> {
    let missing = || Trouble::Feedstock(format!("{folder}: there is no such folder at {commit}"));
    let mut sha = commit.to_owned();
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        let tree = repository.tree(&sha, false).await.map_err(Trouble::GitHub)?.ok_or_else(missing)?;
        let entry = tree.tree.into_iter().find(|entry| entry.path == name && entry.kind == "tree");
        sha = entry.ok_or_else(missing)?.sha;
    }
    repository.tree(&sha, true).await.map_err(Trouble::GitHub)?.ok_or_else(missing)
}

/// Which files to fetch; nothing but plain files at plain places.
fn plan(folder: &str, tree: &Tree) -> Result<Vec<Wanted>, Trouble> {
    let mut wanted = Vec::new();
    let mut bytes = 0_u64;
    for entry in &tree.tree {
        let TreeEntry { path, mode, kind, sha, size } = entry;
        match (kind.as_str(), mode.as_str()) {
            ("tree", _) => continue,
            ("blob", "120000") => {
                return Err(Trouble::Feedstock(format!("{folder}/{path}: symbolic links are not followed")));
            }
            // Another repository's commit, which is not fetched: as after a plain clone.
            ("commit", _) => continue,
            _ => {}
        }
        let plain =
            !path.contains(['\\', '\0']) && path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"));
        if !plain {
            return Err(Trouble::Feedstock(format!("{folder}/{path:?}: such a path is not fetched")));
        }
        bytes = bytes.saturating_add(size.unwrap_or(0));
        wanted.push(Wanted { path: path.into(), sha: sha.clone(), program: mode == "100755" });
    }
    if tree.truncated || wanted.len() > FILES_MAX {
        return Err(Trouble::Feedstock(format!("{folder}: more than {FILES_MAX} files are not fetched")));
    }
    if bytes > BYTES_MAX {
        return Err(too_big(folder));
    }
    Ok(wanted)
}

fn too_big(folder: &str) -> Trouble {
    Trouble::Feedstock(format!("{folder}: more than {} MB are not fetched", BYTES_MAX / 1024 / 1024))
}

#[cfg_attr(not(unix), allow(unused_variables))]
fn write(path: &Path, bytes: &[u8], program: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    // Two paths that differ in case only meet on some systems: the second is refused.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if program { 0o700 } else { 0o600 });
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(entries: &[(&str, &str, &str, u64)]) -> Tree {
        let entry = |(path, mode, kind, size): &(&str, &str, &str, u64)| TreeEntry {
            path: (*path).to_owned(),
            mode: (*mode).to_owned(),
            kind: (*kind).to_owned(),
            sha: "0a".to_owned(),
            size: Some(*size),
        };
        Tree { sha: "0b".to_owned(), tree: entries.iter().map(entry).collect(), truncated: false }
    }

    #[test]
    fn plain_files_are_fetched() {
        let wanted = plan(
            "feedstock",
            &tree(&[
                ("meta.yaml", "100644", "blob", 5),
                ("sub", "040000", "tree", 0),
                ("sub/run.sh", "100755", "blob", 5),
                ("module", "160000", "commit", 0),
            ]),
        );
        let file = |path: &str, program| Wanted { path: path.into(), sha: "0a".into(), program };
        assert_eq!(wanted.expect("fits"), [file("meta.yaml", false), file("sub/run.sh", true)]);
    }

    #[test]
    fn what_is_odd_or_too_much_is_refused() {
        let many: Vec<String> = (0..=FILES_MAX).map(|number| format!("f{number}")).collect();
        let many: Vec<_> = many.iter().map(|name| (name.as_str(), "100644", "blob", 1)).collect();
        let cut = Tree { truncated: true, ..tree(&[]) };
        for (tree, words) in [
            (tree(&[("link", "120000", "blob", 9)]), "f/link: symbolic links"),
            (tree(&[("../up", "100644", "blob", 1)]), "such a path"),
            (tree(&[("/abs", "100644", "blob", 1)]), "such a path"),
            (tree(&[("a//b", "100644", "blob", 1)]), "such a path"),
            (tree(&[("a\\b", "100644", "blob", 1)]), "such a path"),
            (tree(&[(".git/config", "100644", "blob", 1)]), "such a path"),
            (tree(&[("a", "100644", "blob", BYTES_MAX), ("b", "100644", "blob", 1)]), "more than 50 MB"),
            (tree(&many), "more than 2000 files"),
            (cut, "more than 2000 files"),
        ] {
            let Err(Trouble::Feedstock(reason)) = plan("f", &tree) else { panic!("{words}: not refused") };
            assert!(reason.contains(words), "{reason}");
        }
    }
}
