//! Which feedstocks a merged pull request asks for, and whether they can be made at all: before
//! anything is made.

use std::collections::BTreeSet;

use super::making::Making;
use super::{FEEDSTOCKS, Work};
use crate::apps::recipes::jobs::{MergedPull, github_failure};
use crate::github::api::contents::Entry;
use crate::github::api::pulls::PullFile;
use crate::github::{Error, Repository};
use crate::jobs::{Failure, Task};

/// A recipe with more files is none.
const FILES_MAX: usize = 300;
/// Larger files are refused, in bytes: a recipe is code, and GitHub's own pages take no more.
const SIZE_MAX: u64 = 25 * 1024 * 1024;
/// What makes a folder a recipe.
const META: &str = "meta.yaml";

/// A file of a recipe, at the commit that merged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// From the root of staged-recipes.
    pub(super) path: String,
    /// From the recipe's folder.
    pub(super) inside: String,
    /// git's name of its content.
    pub(super) sha: String,
}

impl MergedPull {
    /// The feedstocks that are to be made, as far as they are; `None` when this is no recipe.
    pub(super) async fn plan(&self, base: &Repository, task: &mut Task) -> Result<Option<Vec<Making>>, Failure> {
        if let Some(makings) = task.saved(FEEDSTOCKS) {
            return Ok(Some(makings));
        }
        let files = base.pull_files(self.pr_number).await.map_err(github_failure)?;
        let owner = self.base_full_name.split('/').next().unwrap_or_default();
        let names = if files.iter().all(|file| file.filename.starts_with("recipes/")) {
            recipe_names(&files)
        } else {
            BTreeSet::new()
        };
        let mut makings = Vec::new();
        for name in names {
            // What the pull request touched may be gone in the end.
            if base.folder(&format!("recipes/{name}"), &self.merge_commit_sha).await.map_err(github_failure)?.is_some()
            {
                makings.push(Making::new(owner, &name));
            }
        }
        if makings.is_empty() {
            return Ok(None);
        }
        task.save(FEEDSTOCKS, &makings).await?;
        Ok(Some(makings))
    }
}

impl Work<'_> {
    /// Refuses what cannot be made while nothing is made: names that no repository can have or
    /// that are taken, and folders that hold no recipe.
    pub(super) async fn check_all(&mut self) -> Result<(), Failure> {
        check_names(&self.makings).map_err(Failure::permanent)?;
        for at in 0..self.makings.len() {
            if self.makings[at].way.is_some() {
                continue;
            }
            let files = self.files(at).await?;
            let making = &self.makings[at];
            if files.iter().all(|file| file.inside != META) {
                return Err(Failure::permanent(format!("{} holds no {META}: it is no recipe", making.folder)));
            }
            if self.feedstock(at).about().await.map_err(github_failure)?.is_some() {
                return Err(taken(making));
            }
        }
        Ok(())
    }

    /// The files of a recipe at the commit that merged it, in order.
    pub(super) async fn files(&mut self, at: usize) -> Result<Vec<File>, Failure> {
        if let Some(files) = self.listed.get(&at) {
            return Ok(files.clone());
        }
        let folder = &self.makings[at].folder;
        let mut files = Vec::new();
        let mut folders = vec![folder.clone()];
        while let Some(next) = folders.pop() {
            let entries = match self.base.folder(&next, &self.merged.merge_commit_sha).await {
                Err(Error::Decode { .. }) => return Err(Failure::permanent(format!("{next} is not a folder"))),
                outcome => outcome.map_err(github_failure)?.unwrap_or_default(),
            };
            for entry in entries {
                match entry.kind.as_str() {
                    "dir" => folders.push(entry.path),
                    _ => files.push(file(folder, entry).map_err(Failure::permanent)?),
                }
            }
            if files.len() + folders.len() > FILES_MAX {
                return Err(Failure::permanent(format!("{folder} holds more than {FILES_MAX} files")));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.listed.insert(at, files.clone());
        Ok(files)
    }
}

/// What is said when there is a repository of that name which this job did not make.
pub(super) fn taken(making: &Making) -> Failure {
    Failure::permanent(format!(
        "the repository {} is there already. To change that feedstock, open a pull request there; for another \
         dataset, choose another name than {}",
        making.spec, making.folder
    ))
}

/// `<name>` of `recipes/<name>/…` of every file that is there after the change.
fn recipe_names(files: &[PullFile]) -> BTreeSet<String> {
    let there = files.iter().filter(|file| file.status != "removed");
    there
        .filter_map(|file| {
            let (name, rest) = file.filename.strip_prefix("recipes/")?.split_once('/')?;
            (!name.is_empty() && !rest.is_empty()).then(|| name.to_owned())
        })
        .collect()
}

/// Each name must be one that a repository and a branch can have, and no two the same to GitHub.
fn check_names(makings: &[Making]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for making in makings {
        let name = making.name();
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !plain || name.starts_with('.') || name.contains("..") || name.len() > 80 {
            return Err(format!(
                "{} cannot give a repository its name: up to 80 letters, digits, -, _ and . are possible",
                making.folder
            ));
        }
        if !seen.insert(name.to_lowercase()) {
            return Err(format!("{} differs from another folder only in upper and lower case", making.folder));
        }
    }
    Ok(())
}

fn file(folder: &str, entry: Entry) -> Result<File, String> {
    let Entry { path, sha, kind, size, submodule_git_url } = entry;
    if kind != "file" || submodule_git_url.is_some() {
        let kind = if submodule_git_url.is_some() { "submodule" } else { &kind };
        return Err(format!("{path} is a {kind}: only files and folders can be put into a feedstock"));
    }
    if size > SIZE_MAX {
        return Err(format!("{path} has {size} bytes; at most {SIZE_MAX} are put into a feedstock"));
    }
    let inside = path.strip_prefix(folder).unwrap_or(&path).trim_start_matches('/').to_owned();
    Ok(File { path, inside, sha })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_that_is_there_after_the_change_is_a_recipe() {
        let file = |filename: &str, status: &str| PullFile { filename: filename.into(), status: status.into() };
        let files = [
            file("recipes/b/recipe.py", "renamed"),
            file("recipes/a/deep/er/x.py", "added"),
            file("recipes/gone/meta.yaml", "removed"),
            file("recipes/README.md", "modified"),
        ];
        assert_eq!(recipe_names(&files).into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn names_are_those_of_repositories_and_branches() {
        let check = |names: &[&str]| {
            check_names(&names.iter().map(|name| Making::new("o", name)).collect::<Vec<_>>()).err().unwrap_or_default()
        };
        assert_eq!(check(&["sst", "NOAA-oisst_v2.1"]), "");
        for name in ["a b", "ä", "a..b", ".hidden", &"x".repeat(81)] {
            assert!(check(&[name]).contains("cannot give a repository its name"), "{name}");
        }
        assert!(check(&["SST", "sst"]).contains("only in upper and lower case"));
    }

    #[test]
    fn only_files_are_copied_and_they_keep_their_place() {
        let entry = |kind: &str, size: u64, submodule: Option<&str>| Entry {
            path: "recipes/a/deep/x.py".into(),
            sha: "s".into(),
            kind: kind.into(),
            size,
            submodule_git_url: submodule.map(str::to_owned),
        };
        assert_eq!(file("recipes/a", entry("file", 1, None)).unwrap().inside, "deep/x.py");
        for (entry, words) in [
            (entry("symlink", 1, None), "is a symlink"),
            (entry("file", 0, Some("https://x")), "is a submodule"),
            (entry("file", SIZE_MAX + 1, None), "at most"),
        ] {
            assert!(file("recipes/a", entry).unwrap_err().contains(words));
        }
    }
}
