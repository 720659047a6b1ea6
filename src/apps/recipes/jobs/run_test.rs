//! `/run RECIPE_ID` on a pull request: a test run, and an answer in every case.

use serde::{Deserialize, Serialize};

use super::commit::{Commit, Listed, Stop};
use super::request::request;
use super::tell::comment_once;
use super::{Answer, Cx, github_failure};
use crate::apps::recipes::checks;
use crate::apps::recipes::links::Links;
use crate::apps::recipes::rows::attempts::{NewAttempt, Requested};
use crate::apps::recipes::rows::origin::{self, Origin};
use crate::apps::recipes::rows::{feedstocks, recipe_runs};
use crate::apps::recipes::text::run as text;
use crate::github::Repository;
use crate::github::api::issues::Reaction;
use crate::github::api::pulls::Pull;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::jobs::enqueue;

/// `/run RECIPE_ID` on a pull request: a test run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTest {
    /// `owner/name` of the pull request's repository.
    pub base_full_name: String,
    /// Number of the pull request.
    pub pr_number: i64,
    /// The comment that asked for it.
    pub comment_id: i64,
    /// Who wrote it.
    #[serde(default)]
    pub requested_by: Option<String>,
    /// Which recipe.
    pub recipe_id: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

/// Under which name is saved what can be done about the command.
const FOUND: &str = "found";
/// Under which name is saved the attempt that was under way already.
const BUSY: &str = "busy";

/// What can be done about a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Found {
    /// The run with this id is meant.
    Run(i64),
    /// The person must act: this is the answer.
    Nothing(String),
}

impl Job for RunTest {
    const KIND: &'static str = "recipes.run_test";
    /// As long as [`super::Synchronize`]: it may have to list the recipes itself.
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3600);
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        self.react(&repository, Reaction::Eyes).await?;
        let run = match self.found(cx, &repository, task).await? {
            Found::Run(id) => recipe_runs::get(&cx.db, id).await?,
            Found::Nothing(answer) => {
                self.react(&repository, Reaction::Confused).await?;
                self.say(&repository, &answer).await?;
                return Ok(Done(format!("no run of {} is started", self.recipe_id)));
            }
        };
        let run = run.ok_or_else(|| Failure::permanent(format!("the run of {} is gone", self.recipe_id)))?;
        let asked_here = Origin { pr_number: Some(self.pr_number), ..Origin::default() };
        let new = NewAttempt {
            token: task.token.clone(),
            requested_by: self.requested_by.clone(),
            comment_id: Some(self.comment_id),
        };
        // Before the bake can end and be told of.
        origin::set(&cx.db, run.id, &asked_here).await?;
        let links = Links::of(cx).await?;
        checks::announce(cx, &links, &repository, std::slice::from_ref(&run)).await?;
        let requested = match task.saved(BUSY) {
            Some(attempt) => Requested::Busy(attempt),
            None => request(cx, run.id, &new).await?,
        };
        match requested {
            Requested::New(attempt) | Requested::Same(attempt) => {
                self.react(&repository, Reaction::Rocket).await?;
                Ok(Done(format!("attempt {attempt} at run {} is queued", run.id)))
            }
            Requested::Busy(attempt) => {
                // Once it is over, asking again would start one after all.
                task.save(BUSY, &attempt).await?;
                let url = links.dashboard(&run);
                self.say(&repository, &text::busy(&self.recipe_id, &run.head_sha, attempt, &url)).await?;
                Ok(Done(format!("attempt {attempt} at run {} is not over yet", run.id)))
            }
        }
    }

    async fn give_up(&self, cx: &Cx, task: &mut Task, failure: &Failure) {
        let answer = Answer {
            base_full_name: self.base_full_name.clone(),
            pr_number: self.pr_number,
            installation_id: self.installation_id,
            comment_id: self.comment_id,
            refused: false,
            about: self.about(),
            text: text::not_started(&self.recipe_id, &failure.reason),
        };
        // A job of its own: GitHub may be away for longer than these last words may take.
        let queued = match answer.queued(None, format!("{}/answer", task.token)) {
            Ok(job) => enqueue(&cx.db, &[job], cx.clock.now()).await.map(drop).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = queued {
            tracing::warn!(job = task.id, error, "that a run cannot be started is not told");
        }
    }
}

impl RunTest {
    /// What an earlier attempt at this job found, or what is found now.
    async fn found(&self, cx: &Cx, repository: &Repository, task: &mut Task) -> Result<Found, Failure> {
        if let Some(found) = task.saved(FOUND) {
            return Ok(found);
        }
        // Commits that were pushed after the comment are what its author means to test now; not
        // those that are pushed once the answer to it is under way.
        let pull = repository.pull(self.pr_number).await.map_err(github_failure)?;
        let found = self.find(cx, repository, &pull).await?;
        task.save(FOUND, &found).await?;
        Ok(found)
    }

    /// The run that is meant, at the pull request's newest commit.
    async fn find(&self, cx: &Cx, repository: &Repository, pull: &Pull) -> Result<Found, Failure> {
        let Some(feedstock) = feedstocks::by_spec(&cx.db, &self.base_full_name).await? else {
            return Ok(Found::Nothing(text::unknown_feedstock(&self.base_full_name)));
        };
        let sha = &pull.head.sha;
        let mut runs = recipe_runs::tests_at(&cx.db, feedstock.id, sha).await?;
        if !runs.iter().any(|run| run.recipe_id == self.recipe_id) {
            // The commit was not listed yet, or only in part: its recipes are listed by their code,
            // which somebody who may asks to run now; or what was missing then is there now.
            let commit = Commit {
                head_html_url: pull.head_html_url().to_owned(),
                head_sha: sha.clone(),
                pr_number: self.pr_number,
                base_full_name: self.base_full_name.clone(),
                installation_id: self.installation_id,
            };
            match commit.list(cx, repository, true).await {
                Ok(Listed { runs: listed, .. }) => runs = listed,
                Err(Stop::Fail(failure)) => return Err(failure),
                Err(Stop::Report(output)) if runs.is_empty() => {
                    let reason = format!("{}\n\n{}", output.title, output.summary);
                    return Ok(Found::Nothing(text::not_started(&self.recipe_id, &reason)));
                }
                Err(Stop::Report(_)) => {}
            }
        }
        let ids: Vec<String> = runs.iter().map(|run| run.recipe_id.clone()).collect();
        Ok(match runs.into_iter().find(|run| run.recipe_id == self.recipe_id) {
            Some(run) => Found::Run(run.id),
            None => Found::Nothing(text::unknown_recipe(&self.recipe_id, sha, &ids)),
        })
    }

    async fn react(&self, repository: &Repository, reaction: Reaction) -> Result<(), Failure> {
        match repository.react(self.comment_id, reaction).await {
            // The comment was deleted meanwhile: the command still counts.
            Err(error) if error.status() == Some(404) => Ok(()),
            outcome => outcome.map_err(github_failure),
        }
    }

    async fn say(&self, repository: &Repository, text: &str) -> Result<(), Failure> {
        comment_once(repository, self.pr_number, &self.about(), text).await.map(drop)
    }

    fn about(&self) -> String {
        format!("comment/{}", self.comment_id)
    }
}
