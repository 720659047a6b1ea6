//! New commits on a pull request: list their recipes and queue a test run of each.
//!
//! The check run on the commit is opened before anything else, so that the author sees that
//! something happens, and every way out of this job concludes it.
//!
//! A pull request to staged-recipes may touch several `recipes/<name>/` folders: all are expanded,
//! and their runs are listed together. A folder that the pull request only removes is left out.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::{Cx, github_failure, runner_failure};
use crate::apps::recipes::rows::recipe_runs::{self, NewRecipeRun, RecipeRun};
use crate::apps::recipes::rows::{bakeries, feedstocks};
use crate::apps::recipes::runner::{ExpandRequest, Meta};
use crate::apps::recipes::settings::Settings;
use crate::apps::recipes::text;
use crate::github::Repository;
use crate::github::api::checks::{CheckRun, Conclude, NewCheckRun, Output};
use crate::github::api::pulls::PullFile;
use crate::jobs::{Done, Failure, Job, Task};
use crate::util::text::truncate;

/// Under which name the id of the check run is saved.
const CHECK_RUN: &str = "check_run";
/// Longer ids of recipes and bakeries are refused, in characters: they become part of an index.
const ID_MAX: usize = 255;
/// More recipes in one commit are refused: anybody can open a pull request.
const RECIPES_MAX: usize = 1000;

/// New commits on a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synchronize {
    /// Page of the repository that holds the commits.
    pub head_html_url: String,
    /// The newest commit.
    pub head_sha: String,
    /// Number of the pull request.
    pub pr_number: i64,
    /// The REST address of the repository that it is for.
    pub base_api_url: String,
    /// `owner/name` of that repository.
    pub base_full_name: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

/// Why no runs were queued.
enum Stop {
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

impl Job for Synchronize {
    const KIND: &'static str = "recipes.synchronize";
    /// Above the longest time that runners may be given for a few folders.
    const TIMEOUT: Duration = Duration::from_secs(3600);
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let check = self.open_check(cx, &repository, task).await?;
        let (conclusion, output) = match self.queue_runs(cx, &repository).await {
            Ok(output) => ("success", output),
            Err(Stop::Report(output)) => ("failure", output),
            Err(Stop::Fail(failure)) => return Err(failure),
        };
        let title = output.title.clone();
        repository.conclude_check_run(check, &conclude(cx, conclusion, output)).await.map_err(github_failure)?;
        Ok(Done(format!("check run {check} concluded {conclusion}: {title}")))
    }

    async fn give_up(&self, cx: &Cx, task: &mut Task, failure: &Failure) {
        let Ok(github) = cx.github() else { return };
        let repository = github.repository(&self.base_full_name, self.installation_id);
        let check = match task.saved(CHECK_RUN) {
            Some(check) => Ok(Some(check)),
            None => self.find_check(&repository, &task.token).await,
        };
        let concluded = match check {
            Ok(None) => return,
            Ok(Some(check)) => {
                let end = conclude(cx, "failure", text::failed(&failure.reason));
                repository.conclude_check_run(check, &end).await.map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = concluded {
            tracing::warn!(job = task.id, %error, "a check run stays open");
        }
    }
}

impl Synchronize {
    /// Opens the check run, or finds the one that an earlier attempt opened.
    async fn open_check(&self, cx: &Cx, repository: &Repository, task: &mut Task) -> Result<i64, Failure> {
        if let Some(check) = task.saved(CHECK_RUN) {
            return Ok(check);
        }
        let found = if task.begun_before {
            // An earlier attempt may have opened it and died before it could say so.
            self.find_check(repository, &task.token).await.map_err(github_failure)?
        } else {
            None
        };
        let check = match found {
            Some(check) => check,
            None => {
                let new = NewCheckRun {
                    name: text::CHECK_NAME.to_owned(),
                    head_sha: self.head_sha.clone(),
                    status: "in_progress",
                    started_at: seconds(cx),
                    external_id: Some(task.token.clone()),
                    details_url: Some(cx.settings.details_url.clone()),
                    output: text::in_progress(),
                    conclusion: None,
                    actions: Vec::new(),
                };
                repository.create_check_run(&new).await.map_err(github_failure)?.id
            }
        };
        task.save(CHECK_RUN, &check).await?;
        Ok(check)
    }

    async fn find_check(&self, repository: &Repository, token: &str) -> Result<Option<i64>, crate::github::Error> {
        let runs = repository.check_runs(&self.head_sha, text::CHECK_NAME).await?;
        let ours = |run: &CheckRun| run.external_id.as_deref() == Some(token);
        Ok(runs.into_iter().find(ours).map(|run| run.id))
    }

    /// Expands the recipes and queues a run of each; what the check run shall say of it.
    async fn queue_runs(&self, cx: &Cx, repository: &Repository) -> Result<Output, Stop> {
        let metas = self.expand(cx, repository).await?;
        let feedstock = feedstocks::by_spec(&cx.db, &self.base_full_name).await?;
        let mut wanted = Vec::new();
        for meta in metas {
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
            wanted.extend(meta.recipes.into_iter().map(|recipe| (recipe.id, feedstock.id, bakery.id)));
        }
        check_ids(wanted.iter().map(|(id, ..)| id.as_str())).map_err(|reason| Stop::Report(text::failed(&reason)))?;
        let mut runs = Vec::with_capacity(wanted.len());
        for (recipe_id, feedstock_id, bakery_id) in wanted {
            let now = cx.clock.now();
            let run =
                NewRecipeRun::queued_test(recipe_id, feedstock_id, bakery_id, &self.head_sha, self.pr_number, now);
            runs.push(recipe_runs::upsert(&cx.db, &run).await?);
        }
        let host = webhook_host(cx).await?;
        let line =
            |run: &RecipeRun| text::run_line(&cx.settings.dashboard_url, run.id, run.feedstock_id, host.as_deref());
        Ok(text::queued(&self.head_sha, &runs.iter().map(line).collect::<Vec<_>>()))
    }

    async fn expand(&self, cx: &Cx, repository: &Repository) -> Result<Vec<Meta>, Stop> {
        let runner = cx.runner.as_ref().ok_or_else(|| Failure::permanent("no recipe runner is configured"))?;
        let mut metas = Vec::new();
        for feedstock_subdir in self.subdirs(repository).await? {
            let request = ExpandRequest {
                repo_html_url: self.head_html_url.clone(),
                head_sha: self.head_sha.clone(),
                feedstock_subdir,
                base_full_name: self.base_full_name.clone(),
                installation_id: self.installation_id,
            };
            match runner.expand_meta(&request).await {
                Ok(meta) => metas.push(meta),
                Err(error) => return Err(Stop::Report(text::failed(&runner_failure(error)?))),
            }
        }
        Ok(metas)
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
fn check_text(what: &str, id: &str) -> Result<(), String> {
    if id.is_empty() || id.chars().count() > ID_MAX || id.chars().any(char::is_control) {
        let shown = truncate(id, 60);
        return Err(format!("The {what} id {shown:?} is empty, too long, or holds control characters."));
    }
    Ok(())
}

/// A run is found again by its recipe's id and commit: the ids of one commit must differ.
fn check_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), String> {
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

/// Host of this App's webhook URL, which the dashboard asks about the runs.
async fn webhook_host(cx: &Cx) -> Result<Option<String>, Failure> {
    if let Some(host) = &cx.settings.webhook_host {
        return Ok(Some(host.clone()));
    }
    let config = cx.github()?.hook_config().await.map_err(github_failure)?;
    Ok(config.url.as_deref().and_then(Settings::host_of))
}

fn conclude(cx: &Cx, conclusion: &'static str, output: Output) -> Conclude {
    Conclude { status: "completed", conclusion, completed_at: seconds(cx), output, actions: Vec::new() }
}

/// Now, without a fraction: the form that GitHub documents.
fn seconds(cx: &Cx) -> DateTime<Utc> {
    cx.clock.now().trunc_subsecs(0)
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
