//! The commit of a pull request: its recipes are listed, and each gets a test run that waits for its
//! `/run`.
//!
//! A pull request to staged-recipes may touch several `recipes/<name>/` folders: all are expanded,
//! and their runs are listed together. A folder that the pull request only removes is left out.

use std::collections::BTreeSet;

use super::{Cx, github_failure, runner_failure};
use crate::apps::recipes::checks;
use crate::apps::recipes::links::Links;
use crate::apps::recipes::rows::origin::{self, Origin};
use crate::apps::recipes::rows::recipe_runs::{self, NewRecipeRun, RecipeRun};
use crate::apps::recipes::rows::{bakeries, feedstocks};
use crate::apps::recipes::runner::{ExpandRequest, Meta, RunnerFailure};
use crate::apps::recipes::text::checks as text;
use crate::github::Repository;
use crate::github::api::checks::Output;
use crate::github::api::pulls::PullFile;
use crate::jobs::Failure;
use crate::util::text::truncate;

/// Longer ids of recipes and bakeries are refused, in characters: they become part of an index.
const ID_MAX: usize = 255;
/// More recipes in one commit are refused: anybody can open a pull request.
const RECIPES_MAX: usize = 1000;

/// A commit of a pull request.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    /// Page of the repository that holds it.
    pub head_html_url: String,
    /// The commit.
    pub head_sha: String,
    /// Number of the pull request.
    pub pr_number: i64,
    /// `owner/name` of the repository that the pull request is for.
    pub base_full_name: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

/// What a commit's recipes became.
pub(super) struct Listed {
    /// The run of each recipe that could be listed.
    pub runs: Vec<RecipeRun>,
    /// Why some could not be: they are listed by code, which nobody has asked to run.
    pub by_code: Vec<String>,
    /// Where people read of them.
    pub links: Links,
}

/// Why no runs were queued.
pub(super) enum Stop {
    /// The author must act: the check run says this.
    Report(Output),
    /// The attempt failed.
    Fail(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

/// A folder's recipes.
struct Folder {
    subdir: Option<String>,
    meta: Meta,
}

impl Commit {
    /// Lists the recipes and queues a run of each, with its check run. Code of the pull request is
    /// executed only if somebody whom we `trust` asks, or if the operator trusts everybody.
    pub async fn list(&self, cx: &Cx, repository: &Repository, trust: bool) -> Result<Listed, Stop> {
        let (folders, by_code) = self.expand(cx, repository, trust).await?;
        let feedstock = feedstocks::by_spec(&cx.db, &self.base_full_name).await?;
        let mut wanted = Vec::new();
        for Folder { subdir, meta } in folders {
            let name = meta.bakery.map(|bakery| bakery.id);
            let bakery = match &name {
                Some(name) => {
                    check_text("bakery", name).map_err(|reason| Stop::Report(text::failed(&reason)))?;
                    bakeries::by_name(&cx.db, name).await?
                }
                None => None,
            };
            let (Some(feedstock), Some(bakery)) = (&feedstock, &bakery) else {
                let output =
                    text::not_in_database(&self.base_full_name, feedstock.is_some(), name.as_deref(), bakery.is_some());
                return Err(Stop::Report(output));
            };
            let of = |recipe_id| (recipe_id, feedstock.id, bakery.id, subdir.clone());
            wanted.extend(meta.recipes.into_iter().map(|recipe| of(recipe.id)));
        }
        if by_code.is_empty() || !wanted.is_empty() {
            let ids = wanted.iter().map(|(id, ..)| id.as_str());
            check_ids(ids).map_err(|reason| Stop::Report(text::failed(&reason)))?;
        }
        let mut runs = Vec::with_capacity(wanted.len());
        for (recipe_id, feedstock_id, bakery_id, subdir) in wanted {
            let now = cx.clock.now();
            let run =
                NewRecipeRun::queued_test(recipe_id, feedstock_id, bakery_id, &self.head_sha, self.pr_number, now);
            let run = recipe_runs::upsert(&cx.db, &run).await?;
            let origin = Origin {
                repo_html_url: Some(self.head_html_url.clone()),
                feedstock_subdir: subdir,
                installation_id: self.installation_id,
                // Of two pull requests with the same commit the first is told, or who asks last.
                pr_number: None,
                check_run_id: None,
            };
            origin::set(&cx.db, run.id, &origin).await?;
            runs.push(run);
        }
        let links = Links::of(cx).await?;
        checks::announce(cx, &links, repository, &runs).await?;
        Ok(Listed { runs, by_code, links })
    }

    async fn expand(&self, cx: &Cx, repository: &Repository, trust: bool) -> Result<(Vec<Folder>, Vec<String>), Stop> {
        let runner = cx.runner.as_ref().ok_or_else(|| Failure::permanent("no recipe runner is configured"))?;
        let (mut folders, mut by_code) = (Vec::new(), Vec::new());
        for subdir in self.subdirs(repository).await? {
            let request = ExpandRequest {
                repo_html_url: self.head_html_url.clone(),
                head_sha: self.head_sha.clone(),
                feedstock_subdir: subdir.clone(),
                base_full_name: self.base_full_name.clone(),
                installation_id: self.installation_id,
            };
            let expanded = match (runner.expand_meta(&request).await, &cx.trusted_runner) {
                (Err(RunnerFailure::ByCode(_)), Some(trusted)) if trust => trusted.expand_meta(&request).await,
                (expanded, _) => expanded,
            };
            match expanded {
                Ok(meta) => folders.push(Folder { subdir, meta }),
                Err(RunnerFailure::ByCode(reason)) => by_code.push(reason),
                Err(error) => return Err(Stop::Report(text::failed(&runner_failure(error)?))),
            }
        }
        Ok((folders, by_code))
    }

    /// Which folders to expand; `None` is the runner's default, a feedstock repository's only one.
    async fn subdirs(&self, repository: &Repository) -> Result<Vec<Option<String>>, Stop> {
        if !self.base_full_name.to_lowercase().ends_with("staged-recipes") {
            return Ok(vec![None]);
        }
        let files = repository.pull_files(self.pr_number).await.map_err(github_failure)?;
        let folders = recipe_folders(&files);
        if folders.is_empty() {
            let reason = "The pull request adds or changes no file in a folder recipes/<name>/.";
            return Err(Stop::Report(text::failed(reason)));
        }
        Ok(folders.into_iter().map(Some).collect())
    }
}

/// `recipes/<name>` of every file that is there after the change.
fn recipe_folders(files: &[PullFile]) -> BTreeSet<String> {
    let there = files.iter().filter(|file| file.status != "removed");
    there
        .filter_map(|file| {
            let (name, rest) = file.filename.strip_prefix("recipes/")?.split_once('/')?;
            (!name.is_empty() && !rest.is_empty()).then(|| format!("recipes/{name}"))
        })
        .collect()
}

/// An id from meta.yaml is looked up in the database and becomes part of texts.
pub(super) fn check_text(what: &str, id: &str) -> Result<(), String> {
    if id.is_empty() || id.chars().count() > ID_MAX || id.chars().any(char::is_control) {
        let shown = truncate(id, 60);
        return Err(format!("The {what} id {shown:?} is empty, too long, or holds control characters."));
    }
    Ok(())
}

/// A run is found again by its recipe's id and commit: the ids of one commit must differ.
pub(super) fn check_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for id in ids {
        check_text("recipe", id)?;
        if !seen.insert(id) {
            return Err(format!("The recipe id {id} is used twice."));
        }
    }
    match seen.len() {
        0 => Err("meta.yaml lists no recipes.".to_owned()),
        count if count > RECIPES_MAX => Err(format!("{count} recipes in one commit; at most {RECIPES_MAX} are run.")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(filename: &str, status: &str) -> PullFile {
        PullFile { filename: filename.to_owned(), status: status.to_owned() }
    }

    #[test]
    fn all_recipe_folders_count_and_only_they() {
        let files = [
            file("README.md", "modified"),
            file("recipes/b/recipe.py", "added"),
            file("recipes/a/meta.yaml", "added"),
            file("recipes/a/sub/x.py", "modified"),
            file("recipes/gone/meta.yaml", "removed"),
            file("recipes/top.md", "added"),
            file("docs/recipes/x/y", "added"),
        ];
        assert_eq!(recipe_folders(&files).into_iter().collect::<Vec<_>>(), ["recipes/a", "recipes/b"]);
        assert!(recipe_folders(&files[..1]).is_empty());
    }

    #[test]
    fn ids_must_tell_runs_apart() {
        assert_eq!(check_ids(["a", "b"].into_iter()), Ok(()));
        for (ids, words) in [(&["a", "a"][..], "used twice"), (&[][..], "no recipes"), (&["a\0"][..], "control")] {
            assert!(check_ids(ids.iter().copied()).unwrap_err().contains(words));
        }
        let many: Vec<String> = (0..=RECIPES_MAX).map(|n| n.to_string()).collect();
        assert!(check_ids(many.iter().map(String::as_str)).unwrap_err().starts_with("1001 recipes"));
    }
}
