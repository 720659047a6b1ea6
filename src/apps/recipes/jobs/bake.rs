//! An attempt at a recipe run: the runner is started and watched.
//!
//! However it ends, `recipes.report` ends the attempt and tells of it. Only what may pass (GitHub or
//! the database being away) makes this job fail, and when it gives up it reports that.

mod log;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::log::LogWriter;
use super::overdue::Overdue;
use super::report::Report;
use super::{Cx, github_failure};
use crate::apps::recipes::bakeries::Bakery;
use crate::apps::recipes::job_name;
use crate::apps::recipes::rows::Conclusion;
use crate::apps::recipes::rows::attempts::{self, Attempt};
use crate::apps::recipes::rows::recipe_runs::RecipeRun;
use crate::apps::recipes::rows::{bakeries as bakery_rows, feedstocks, logs, origin, recipe_runs};
use crate::apps::recipes::runner::{BakeFailure, BakeRequest, Baked};
use crate::apps::recipes::settings::BAKE_TIMEOUT_MAX;
use crate::apps::recipes::subpath::subpath;
use crate::apps::recipes::tell;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::jobs::{NewJob, enqueue};
use crate::store::{Db, Error};

/// How often it is asked whether somebody wants the attempt to stop.
const CANCEL_POLL: Duration = Duration::from_secs(1);
/// Lines that wait to be kept; a runner that writes faster has to wait.
const LINES_UNDER_WAY: usize = 1024;

/// An attempt at a recipe run: the runner is started and watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bake {
    /// Which run.
    pub recipe_run_id: i64,
    /// Which attempt at it.
    pub attempt: i32,
}

/// Why there is nothing to bake.
enum Stop {
    /// The run ends with this.
    Report(Conclusion, String),
    /// The job failed.
    Fail(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fail(error.into())
    }
}

impl Job for Bake {
    const KIND: &'static str = "recipes.bake";
    /// The runner has its own, shorter time.
    const TIMEOUT: Duration = BAKE_TIMEOUT_MAX.saturating_add(Duration::from_secs(3600));
    /// A bake that takes the server down with it must not do so for ever.
    const MAX_ATTEMPTS: u32 = 5;
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        let Some(attempt) = attempts::get(&cx.db, self.recipe_run_id, self.attempt).await? else {
            return Err(Failure::permanent(format!(
                "recipe run {} has no attempt {}",
                self.recipe_run_id, self.attempt
            )));
        };
        if attempt.ended_at.is_some() {
            return Ok(Done(format!("attempt {} was over already", self.attempt)));
        }
        if let Some(job_id) = &attempt.job_id {
            // A crash came between this note and the end of the job.
            return self.hand_over(cx, job_id).await;
        }
        match self.prepare(cx, &attempt).await {
            Ok(request) => {
                // What people see of it is not what it waits for.
                if let Err(failure) = tell::started(cx, self.recipe_run_id).await {
                    tracing::warn!(run = self.recipe_run_id, reason = failure.reason, "that a run began is not told");
                }
                self.bake(cx, &request).await
            }
            Err(Stop::Report(conclusion, reason)) => self.report(cx, conclusion, Some(reason), None).await,
            Err(Stop::Fail(failure)) => Err(failure),
        }
    }

    async fn give_up(&self, cx: &Cx, _task: &mut Task, failure: &Failure) {
        let reason = format!("the run could not be carried out: {}", failure.reason);
        if let Err(failure) = self.report(cx, Conclusion::Failure, Some(reason), None).await {
            let (run, reason) = (self.recipe_run_id, failure.reason);
            tracing::warn!(run, reason, "the end of a recipe run is not told");
        }
    }
}

impl Bake {
    /// This job as a row to queue; one for each attempt.
    ///
    /// # Errors
    /// When the value has no JSON form.
    pub fn job(&self) -> Result<NewJob, serde_json::Error> {
        let (run, attempt) = (self.recipe_run_id, self.attempt);
        self.queued(Some(format!("recipe-run/{run}")), format!("recipe-run/{run}/attempt/{attempt}"))
    }

    /// What to bake, from the tables and the configuration; the attempt is begun.
    async fn prepare(&self, cx: &Cx, attempt: &Attempt) -> Result<BakeRequest, Stop> {
        let (db, id) = (&cx.db, self.recipe_run_id);
        let failure = |reason: String| Stop::Report(Conclusion::Failure, reason);
        let gone = || Stop::Fail(Failure::permanent(format!("recipe run {id} is gone")));
        if attempt.cancel_requested_at.is_some() {
            return Err(Stop::Report(Conclusion::Cancelled, "the run was cancelled before it began".to_owned()));
        }
        let run = recipe_runs::get(db, id).await?.ok_or_else(gone)?;
        let origin = origin::get(db, id).await?.ok_or_else(gone)?;
        let feedstock = feedstocks::get(db, run.feedstock_id).await?.ok_or_else(gone)?;
        let row = bakery_rows::get(db, run.bakery_id).await?.ok_or_else(gone)?;
        let bakery = cx.bakeries.get(&row.name).cloned().ok_or_else(|| {
            failure(format!("the bakery {} is in the database, but this server has no configuration for it", row.name))
        })?;
        let repo_html_url = origin.repo_html_url.ok_or_else(|| {
            failure("it is not known where the commit is: the run was made by hand, or before an update".to_owned())
        })?;
        let job_name = self.begin(cx, &run, &bakery, attempt).await?;
        // After a crash the runner starts anew, and so does its log.
        logs::clear(db, id, self.attempt).await?;
        Ok(BakeRequest {
            repo_html_url,
            git_ref: run.head_sha.clone(),
            feedstock_subdir: origin.feedstock_subdir,
            installation_id: origin.installation_id,
            recipe_id: run.recipe_id.clone(),
            prune: run.is_test,
            subpath: subpath(&cx.app_name, &feedstock.spec, &run),
            base_full_name: feedstock.spec,
            bakery,
            job_name,
        })
    }

    /// Writes down that the run is in progress, and under which name: a job that is submitted twice,
    /// because a crash came in between, has one name.
    async fn begin(
        &self,
        cx: &Cx,
        run: &RecipeRun,
        bakery: &Bakery,
        attempt: &Attempt,
    ) -> Result<Option<String>, Stop> {
        let mut name = match &attempt.job_name {
            Some(name) => Some(name.clone()),
            None if bakery.names_jobs() => Some(new_job_name(cx, run.id).await?),
            None => None,
        };
        let began = loop {
            match attempts::begin(&cx.db, run.id, self.attempt, name.as_deref(), cx.clock.now()).await {
                // An earlier attempt at this run has it.
                Err(Error::Conflict { .. }) if name.is_some() => name = Some(job_name::opaque()),
                began => break began?,
            }
        };
        if began {
            return Ok(name);
        }
        Err(Stop::Fail(Failure::transient("the attempt ended meanwhile")))
    }

    async fn bake(&self, cx: &Cx, request: &BakeRequest) -> Result<Done, Failure> {
        let baker = cx.baker.as_ref().ok_or_else(|| Failure::permanent("no recipe runner is configured"))?;
        let cancel = CancellationToken::new();
        let watching = watch(cx.db.clone(), self.recipe_run_id, self.attempt, cancel.clone());
        let _watching = AbortOnDropHandle::new(tokio::spawn(watching));
        let (lines, taken) = tokio::sync::mpsc::channel(LINES_UNDER_WAY);
        let writer = LogWriter::new(cx.db.clone(), cx.clock.clone(), self.recipe_run_id, self.attempt);
        let mut writer = writer.bounded(cx.settings.runner.log_bytes);
        let (baked, ()) = tokio::join!(baker.bake(request, lines, cancel), writer.run(taken));
        match baked {
            Ok(Baked::Completed) => self.report(cx, Conclusion::Success, None, None).await,
            Ok(Baked::Submitted { job_name, job_id }) => {
                let name = request.job_name.clone().or(job_name);
                let noted = [("job_name", json!(name)), ("job_id", json!(job_id))];
                origin::note(&cx.db, self.recipe_run_id, &noted).await?;
                attempts::submitted(&cx.db, self.recipe_run_id, self.attempt, &job_id).await?;
                self.hand_over(cx, &job_id).await
            }
            Err(BakeFailure::Recipe { reason, trace }) => {
                self.report(cx, Conclusion::Failure, Some(reason), trace).await
            }
            Err(failure @ BakeFailure::TimedOut(_)) => {
                self.report(cx, Conclusion::TimedOut, Some(failure.to_string()), None).await
            }
            Err(failure @ BakeFailure::Cancelled) => {
                self.report(cx, Conclusion::Cancelled, Some(failure.to_string()), None).await
            }
            Err(failure @ BakeFailure::Broken(_)) => {
                tracing::warn!(run = self.recipe_run_id, %failure, "a recipe cannot be baked");
                self.report(cx, Conclusion::Failure, Some(failure.to_string()), None).await
            }
            Err(BakeFailure::GitHub(error)) => Err(github_failure(error)),
        }
    }

    /// The bakery has the job. Should it never report, `recipes.overdue` ends the run.
    async fn hand_over(&self, cx: &Cx, job_id: &str) -> Result<Done, Failure> {
        let overdue = Overdue { recipe_run_id: self.recipe_run_id, attempt: self.attempt };
        let job = overdue.at(cx.clock.now() + cx.settings.runner.report_timeout()).map_err(no_json)?;
        enqueue(&cx.db, &[job], cx.clock.now()).await?;
        Ok(Done(format!("submitted as {job_id}; its bakery will report")))
    }

    async fn report(
        &self,
        cx: &Cx,
        conclusion: Conclusion,
        reason: Option<String>,
        trace: Option<String>,
    ) -> Result<Done, Failure> {
        let report = Report {
            recipe_run_id: self.recipe_run_id,
            attempt: Some(self.attempt),
            conclusion: conclusion.as_str().to_owned(),
            reason: reason.clone(),
            trace,
        };
        enqueue(&cx.db, &[report.of_attempt("report")?], cx.clock.now()).await?;
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Ok(Done(format!("ended with {}{reason}", conclusion.as_str())))
    }
}

/// The name of a run's job at its bakery: it tells where to report, if it fits.
async fn new_job_name(cx: &Cx, recipe_run_id: i64) -> Result<String, Failure> {
    let url = match &cx.settings.webhook_host {
        Some(host) => Some(format!("https://{host}/github/hooks/")),
        None => cx.github()?.hook_config().await.map_err(github_failure)?.url,
    };
    let plain = url.and_then(|url| job_name::encode(&url, recipe_run_id).ok());
    Ok(plain.unwrap_or_else(job_name::opaque))
}

/// Fires `cancel` when the attempt shall stop, or is over by other means.
async fn watch(db: Db, run: i64, number: i32, cancel: CancellationToken) {
    loop {
        tokio::time::sleep(CANCEL_POLL).await;
        match attempts::get(&db, run, number).await {
            Ok(Some(attempt)) if attempt.cancel_requested_at.is_none() && attempt.ended_at.is_none() => {}
            // The database is away: that is no reason to stop.
            Err(_) => {}
            Ok(_) => return cancel.cancel(),
        }
    }
}

fn no_json(error: serde_json::Error) -> Failure {
    Failure::permanent(error.to_string())
}
