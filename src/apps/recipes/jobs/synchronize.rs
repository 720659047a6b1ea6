//! New commits on a pull request: list their recipes and queue a test run of each.
//!
//! The check run on the commit is opened before anything else, so that the author sees that
//! something happens, and every way out of this job concludes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::commit::{Commit, Listed, Stop};
use super::{ConcludeCheck, Cx, github_failure, seconds};
use crate::apps::recipes::text::checks as text;
use crate::github::Repository;
use crate::github::api::checks::{CheckRun, Conclude, NewCheckRun, Output};
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::jobs::enqueue;

/// Under which name the id of the check run is saved.
const CHECK_RUN: &str = "check_run";

/// New commits on a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synchronize {
    /// Page of the repository that holds the commits; GitHub is asked for it when absent.
    pub head_html_url: Option<String>,
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

impl Job for Synchronize {
    const KIND: &'static str = "recipes.synchronize";
    /// Above the longest time that runners may be given for a few folders.
    const TIMEOUT: Duration = Duration::from_secs(3600);
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let check = self.open_check(cx, &repository, task).await?;
        let (conclusion, output) = match self.queue_runs(cx, &repository).await {
            Ok(ended) => ended,
            Err(Stop::Report(output)) => ("failure", output),
            Err(Stop::Fail(failure)) => return Err(failure),
        };
        let title = output.title.clone();
        repository.conclude_check_run(check, &conclude(cx, conclusion, output)).await.map_err(github_failure)?;
        Ok(Done(format!("check run {check} concluded {conclusion}: {title}")))
    }

    async fn give_up(&self, cx: &Cx, task: &mut Task, failure: &Failure) {
        let Err(error) = self.conclude_failed(cx, task, failure).await else { return };
        // GitHub is away, as it may have been for the whole job: somebody must come back to it.
        let rest = ConcludeCheck {
            base_full_name: self.base_full_name.clone(),
            installation_id: self.installation_id,
            head_sha: self.head_sha.clone(),
            external_id: external_id(self.pr_number, &task.token),
            name: text::CHECK_NAME.to_owned(),
            reason: failure.reason.clone(),
        };
        let queued = match rest.queued(None, format!("{}/conclude", task.token)) {
            Ok(job) => enqueue(&cx.db, &[job], cx.clock.now()).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match queued {
            Ok(()) => tracing::info!(job = task.id, reason = error.reason, "a check run is to be concluded later"),
            Err(why) => tracing::warn!(job = task.id, reason = error.reason, why, "a check run stays open"),
        }
    }
}

impl Synchronize {
    async fn conclude_failed(&self, cx: &Cx, task: &Task, failure: &Failure) -> Result<(), Failure> {
        // Without credentials there never was one.
        let Ok(github) = cx.github() else { return Ok(()) };
        let repository = github.repository(&self.base_full_name, self.installation_id);
        let check = match task.saved(CHECK_RUN) {
            Some(check) => Some(check),
            None => self.find_check(&repository, &task.token).await?,
        };
        if let Some(check) = check {
            let end = conclude(cx, "failure", text::failed(&failure.reason));
            repository.conclude_check_run(check, &end).await.map_err(github_failure)?;
        }
        Ok(())
    }

    /// Opens the check run, or finds the one that an earlier attempt opened.
    async fn open_check(&self, cx: &Cx, repository: &Repository, task: &mut Task) -> Result<i64, Failure> {
        if let Some(check) = task.saved(CHECK_RUN) {
            return Ok(check);
        }
        let found = if task.begun_before {
            // An earlier attempt may have opened it and died before it could say so.
            self.find_check(repository, &task.token).await?
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
                    conclusion: None,
                    started_at: seconds(cx),
                    external_id: Some(external_id(self.pr_number, &task.token)),
                    details_url: Some(cx.settings.details_url.clone()),
                    output: text::in_progress(),
                    actions: Vec::new(),
                };
                repository.create_check_run(&new).await.map_err(github_failure)?.id
            }
        };
        task.save(CHECK_RUN, &check).await?;
        Ok(check)
    }

    async fn find_check(&self, repository: &Repository, token: &str) -> Result<Option<i64>, Failure> {
        let runs = repository.check_runs(&self.head_sha, text::CHECK_NAME).await.map_err(github_failure)?;
        let id = external_id(self.pr_number, token);
        let ours = |run: &CheckRun| run.external_id.as_deref() == Some(id.as_str());
        Ok(runs.into_iter().find(ours).map(|run| run.id))
    }

    /// Queues the runs; how the check run ends.
    async fn queue_runs(&self, cx: &Cx, repository: &Repository) -> Result<(&'static str, Output), Stop> {
        let head_html_url = match &self.head_html_url {
            Some(url) => url.clone(),
            None => {
                let pull = repository.pull(self.pr_number).await.map_err(github_failure)?;
                pull.head_html_url().to_owned()
            }
        };
        let commit = Commit {
            head_html_url,
            head_sha: self.head_sha.clone(),
            pr_number: self.pr_number,
            base_full_name: self.base_full_name.clone(),
            installation_id: self.installation_id,
        };
        let Listed { runs, by_code, links } = commit.list(cx, repository, false).await?;
        let lines: Vec<String> = runs.iter().map(|run| text::run_line(&links.dashboard(run))).collect();
        Ok(if by_code.is_empty() {
            ("success", text::queued(&self.head_sha, &lines))
        } else {
            ("neutral", text::listed_by_code(&self.head_sha, &lines, &by_code))
        })
    }
}

/// What finds the check run again, and tells whoever asks for it again which pull request it is of.
fn external_id(pr_number: i64, token: &str) -> String {
    format!("pull/{pr_number}/{token}")
}

fn conclude(cx: &Cx, conclusion: &'static str, output: Output) -> Conclude {
    Conclude { status: "completed", conclusion, completed_at: seconds(cx), output, actions: Vec::new() }
}
