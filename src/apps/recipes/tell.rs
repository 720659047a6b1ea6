//! Telling on GitHub how a run stands: a test on its pull request, a production run by the
//! deployment that stands for it.
//!
//! Everything here may be begun again after a crash: what is there already is not made twice. One
//! thing that cannot be told does not keep the others from being told.

use serde_json::Value;

use super::checks::{self, Face};
use super::jobs::tell::comment_once;
use super::jobs::{Cx, github_failure};
use super::links::Links;
use super::rows::attempts::Attempt;
use super::rows::origin::{self, Origin};
use super::rows::recipe_runs::{self, RecipeRun};
use super::rows::{Conclusion, feedstocks};
use super::text::report::{self as text, Ended, Meanwhile};
use crate::github::Repository;
use crate::github::api::deployments::NewStatus;
use crate::github::api::issues::Reaction;
use crate::jobs::job::Retry;
use crate::jobs::{Failure, Task};

/// A run and where it is told of.
struct Telling<'a> {
    cx: &'a Cx,
    run: RecipeRun,
    origin: Origin,
    repository: Repository,
    links: Links,
}

/// The runner of this run is started.
///
/// # Errors
/// When GitHub or the database refuse.
pub async fn started(cx: &Cx, run: i64) -> Result<(), Failure> {
    let telling = Telling::of(cx, run).await?;
    if !telling.run.is_test {
        let status = NewStatus { state: "in_progress", ..telling.status(format!("Run {run} is in progress")) };
        return telling.deployment(&status, true).await.map(drop);
    }
    if telling.has_check() {
        let output = text::in_progress(&telling.links.dashboard(&telling.run), telling.links.logs(&telling.run));
        checks::show(cx, &telling.links, &telling.run, &Face { conclusion: None, output }).await?;
    }
    Ok(())
}

/// This run is over; `attempt` is the one that ended. One line about who was told.
///
/// # Errors
/// When GitHub or the database refuse.
pub async fn ended(cx: &Cx, task: &Task, run: i64, attempt: Option<&Attempt>) -> Result<String, Failure> {
    let telling = Telling::of(cx, run).await?;
    let ended = telling.ended(attempt);
    let mut told = Told::default();
    if telling.run.is_test {
        if telling.has_check() {
            let face = Face { conclusion: Some(ended.conclusion.as_str()), output: ended.output() };
            told.note("check run", checks::show(cx, &telling.links, &telling.run, &face).await.map(|_| true));
        }
        told.note("comment", telling.comment(&ended).await);
        told.note("reaction", telling.react(attempt).await);
    } else {
        let state = match ended.conclusion {
            Conclusion::Success => "success",
            Conclusion::Failure => "failure",
            _ => "error",
        };
        let status = NewStatus { state, ..telling.status(ended.description()) };
        told.note("deployment status", telling.deployment(&status, task.begun_before).await);
        // A deployment has no room for a trace.
        if ended.conclusion != Conclusion::Success {
            told.note("comment", telling.comment(&ended).await);
        }
    }
    told.end()
}

impl<'a> Telling<'a> {
    async fn of(cx: &'a Cx, run: i64) -> Result<Self, Failure> {
        let gone = |what: &str, id: i64| Failure::permanent(format!("there is no {what} {id}"));
        let run = recipe_runs::get(&cx.db, run).await?.ok_or_else(|| gone("recipe run", run))?;
        let feedstock = feedstocks::get(&cx.db, run.feedstock_id).await?;
        let feedstock = feedstock.ok_or_else(|| gone("feedstock", run.feedstock_id))?;
        let origin = origin::get(&cx.db, run.id).await?.unwrap_or_default();
        let repository = cx.github()?.repository(&feedstock.spec, origin.installation_id);
        let links = Links::of(cx).await?;
        Ok(Self { cx, run, origin, repository, links })
    }

    /// Whether it comes from a commit of a pull request, and not from a stranger's call of the API.
    fn has_check(&self) -> bool {
        self.origin.pr_number.is_some() || self.origin.check_run_id.is_some()
    }

    fn ended(&self, attempt: Option<&Attempt>) -> Ended {
        let run = &self.run;
        let (from, to) = match attempt {
            Some(attempt) => (attempt.started_at, attempt.ended_at),
            None => (Some(run.started_at), run.completed_at),
        };
        let conclusion = attempt.and_then(|attempt| attempt.conclusion).or(run.conclusion);
        Ended {
            recipe_id: run.recipe_id.clone(),
            run_id: run.id,
            attempt: attempt.map(|attempt| attempt.number),
            head_sha: run.head_sha.clone(),
            is_test: run.is_test,
            conclusion: conclusion.unwrap_or(Conclusion::Failure),
            dataset_type: run.dataset_type,
            dataset_public_url: run.dataset_public_url.clone(),
            took: from.zip(to).and_then(|(from, to)| (to - from).to_std().ok()),
            reason: attempt.and_then(|attempt| attempt.reason.clone()),
            trace: attempt.and_then(|attempt| attempt.trace.clone()),
            dashboard: self.links.dashboard(run),
            logs: attempt.and_then(|_| self.links.logs(run)),
        }
    }

    async fn comment(&self, ended: &Ended) -> Result<bool, Failure> {
        let Some(number) = self.origin.pr_number else { return Ok(false) };
        let pull = self.repository.pull(number).await.map_err(github_failure)?;
        let meanwhile = Meanwhile { closed: pull.state != "open", moved: pull.head.sha != self.run.head_sha };
        let of = match ended.attempt {
            Some(attempt) => format!("{}/attempt/{attempt}", checks::external_id(self.run.id)),
            None => checks::external_id(self.run.id),
        };
        comment_once(&self.repository, number, &of, &ended.comment(meanwhile)).await?;
        Ok(true)
    }

    /// To the comment that asked for it, where something went wrong.
    async fn react(&self, attempt: Option<&Attempt>) -> Result<bool, Failure> {
        let failed =
            |attempt: &&Attempt| !matches!(attempt.conclusion, Some(Conclusion::Success | Conclusion::Cancelled));
        let Some(comment) = attempt.filter(failed).and_then(|attempt| attempt.comment_id) else { return Ok(false) };
        match self.repository.react(comment, Reaction::Confused).await {
            // It was deleted.
            Err(error) if error.status() == Some(404) => Ok(false),
            outcome => outcome.map(|()| true).map_err(github_failure),
        }
    }

    fn status(&self, description: String) -> NewStatus {
        let environment_url = Some(self.links.dashboard(&self.run));
        NewStatus { state: "queued", environment_url, log_url: self.links.logs(&self.run), description }
    }

    /// Adds a status to the deployment of the run, unless it is the newest already; `false` when
    /// the run has no deployment.
    async fn deployment(&self, status: &NewStatus, look_first: bool) -> Result<bool, Failure> {
        let notes = origin::notes(self.run.message.as_deref());
        let Some(deployment) = notes.get("deployment_id").and_then(Value::as_i64) else { return Ok(false) };
        add_status(&self.repository, deployment, status, look_first).await?;
        let url = status.environment_url.as_deref().unwrap_or_default();
        if notes.get("environment_url").and_then(Value::as_str) != Some(url) {
            origin::note(&self.cx.db, self.run.id, &[("environment_url", url.into())]).await?;
        }
        Ok(true)
    }
}

/// Adds a status to a deployment, unless the newest one says the same.
///
/// # Errors
/// When GitHub refuses.
pub(super) async fn add_status(
    repository: &Repository,
    deployment: i64,
    status: &NewStatus,
    look_first: bool,
) -> Result<(), Failure> {
    if look_first {
        let there = repository.deployment_statuses(deployment).await.map_err(github_failure)?;
        if there.first().is_some_and(|newest| {
            newest.state == status.state && newest.description.as_deref() == Some(status.description.as_str())
        }) {
            return Ok(());
        }
    }
    repository.create_deployment_status(deployment, status).await.map(drop).map_err(github_failure)
}

/// What could be told and what could not.
#[derive(Default)]
struct Told {
    told: Vec<&'static str>,
    failure: Option<Failure>,
}

impl Told {
    fn note(&mut self, what: &'static str, outcome: Result<bool, Failure>) {
        match outcome {
            Ok(true) => self.told.push(what),
            Ok(false) => {}
            Err(failure) => {
                let failure = Failure { reason: format!("{what}: {}", failure.reason), ..failure };
                // What may pass is worth another attempt, whatever else cannot.
                match &self.failure {
                    Some(earlier) if earlier.retry != Retry::Never => {}
                    _ => self.failure = Some(failure),
                }
            }
        }
    }

    fn end(self) -> Result<String, Failure> {
        match self.failure {
            Some(failure) => Err(failure),
            None if self.told.is_empty() => Ok("nobody is to be told".to_owned()),
            None => Ok(format!("told by {}", self.told.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_whatever_else_failed() {
        let told = |outcomes: Vec<Result<bool, Failure>>| {
            let mut told = Told::default();
            outcomes.into_iter().for_each(|outcome| told.note("comment", outcome));
            told.end()
        };
        let (passing, lasting) = (Failure::transient("502"), Failure::permanent("403"));
        for outcomes in [[passing.clone(), lasting.clone()], [lasting.clone(), passing]] {
            let failure = told(outcomes.map(Err).into()).expect_err("a failure");
            assert_eq!((failure.reason.as_str(), failure.retry), ("comment: 502", Retry::Backoff));
        }
        assert_eq!(told(vec![Err(lasting), Ok(true)]).expect_err("a failure").retry, Retry::Never);
        assert_eq!(told(vec![Ok(true), Ok(false)]), Ok("told by comment".to_owned()));
        assert_eq!(told(vec![Ok(false)]), Ok("nobody is to be told".to_owned()));
    }
}
