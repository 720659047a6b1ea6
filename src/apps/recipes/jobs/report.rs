//! A run ended, as its bakery reports or as its bake found.
//!
//! Every end of every run comes through here: first the rows say so, then people are told. A second
//! report of the same attempt is ignored; this very job begun again goes on with the telling.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cx, run_key};
use crate::apps::recipes::rows::attempts::{self, End};
use crate::apps::recipes::rows::recipe_runs::{self, RecipeRun};
use crate::apps::recipes::rows::{Conclusion, RunStatus, bakeries, feedstocks, origin};
use crate::apps::recipes::subpath::subpath;
use crate::apps::recipes::tell;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::jobs::{NewJob, enqueue};

/// Under which name the attempt is saved that this job ends.
const ENDS: &str = "ends";

/// A run ended, as its bakery reports or as its bake found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which run.
    pub recipe_run_id: i64,
    /// Which attempt at it; the open one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i32>,
    /// `success`, `failure`, `cancelled` or `timed_out`.
    pub conclusion: String,
    /// Why it failed, in one line, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it failed, whole, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// What this job ends: an attempt, or a run that nobody attempted here.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Ends {
    attempt: Option<i32>,
}

impl Report {
    /// The job that ends this attempt; `by` tells apart who says so.
    ///
    /// # Errors
    /// When the attempt is not named.
    pub(super) fn of_attempt(&self, by: &str) -> Result<NewJob, Failure> {
        let (run, attempt) = (self.recipe_run_id, self.attempt.unwrap_or_default());
        let token = format!("recipe-run/{run}/attempt/{attempt}/{by}");
        self.queued(Some(run_key(run)), token).map_err(|error| Failure::permanent(error.to_string()))
    }

    /// Which attempt this ends; `None` when that is over already.
    async fn ends(&self, cx: &Cx, run: &RecipeRun) -> Result<Option<Ends>, Failure> {
        if let Some(number) = self.attempt {
            let attempt = attempts::get(&cx.db, run.id, number).await?;
            let attempt =
                attempt.ok_or_else(|| Failure::permanent(format!("recipe run {} has no attempt {number}", run.id)))?;
            return Ok(attempt.ended_at.is_none().then_some(Ends { attempt: self.attempt }));
        }
        if let Some(open) = attempts::open(&cx.db, run.id).await? {
            return Ok(Some(Ends { attempt: Some(open.number) }));
        }
        let unattempted = run.status != RunStatus::Completed && attempts::list(&cx.db, run.id).await?.is_empty();
        Ok(unattempted.then_some(Ends { attempt: None }))
    }

    async fn end(&self, cx: &Cx, run: &RecipeRun) -> Result<End, Failure> {
        let conclusion = Conclusion::read(&self.conclusion).map_err(|error| Failure::permanent(error.to_string()))?;
        let dataset_public_url =
            if conclusion == Conclusion::Success { dataset_public_url(cx, run).await? } else { None };
        let (reason, trace) = (self.reason.clone(), self.trace.clone());
        Ok(End { conclusion, reason, trace, dataset_public_url })
    }
}

impl Job for Report {
    const KIND: &'static str = "recipes.report";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let id = self.recipe_run_id;
        let run = recipe_runs::get(&cx.db, id).await?;
        let run = run.ok_or_else(|| Failure::permanent(format!("there is no recipe run {id}")))?;
        let end = self.end(cx, &run).await?;
        let ends = match task.saved(ENDS) {
            Some(ends) => ends,
            None => {
                let Some(ends) = self.ends(cx, &run).await? else {
                    return Ok(Done(format!("run {id} was over already: nothing changed")));
                };
                // From here on this job ends it, also when the next step dies unnoticed.
                task.save(ENDS, &ends).await?;
                ends
            }
        };
        let now = cx.clock.now();
        match ends.attempt {
            Some(attempt) => attempts::end(&cx.db, id, attempt, &end, now).await?,
            None => attempts::end_unattempted(&cx.db, id, &end, now).await?,
        };
        let noted = origin::notes(run.message.as_deref()).contains_key("trace");
        if noted || end.trace.is_some() {
            origin::note(&cx.db, id, &[("trace", end.trace.map_or(Value::Null, Value::from))]).await?;
        }
        let attempt = match ends.attempt {
            Some(attempt) => attempts::get(&cx.db, id, attempt).await?,
            None => None,
        };
        let told = tell::ended(cx, task, id, attempt.as_ref()).await?;
        Ok(Done(format!("run {id} ended with {}: {told}", self.conclusion)))
    }
}

/// A bakery reports the end of the job that it knows by this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportByName {
    /// Name of the job at the bakery.
    pub job_name: String,
    /// `success` or `failure`.
    pub conclusion: String,
}

impl Job for ReportByName {
    const KIND: &'static str = "recipes.report_by_name";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        let name = &self.job_name;
        let attempt = attempts::by_job_name(&cx.db, name).await?;
        let attempt = attempt.ok_or_else(|| Failure::permanent(format!("no run has the job name {name}")))?;
        let report = Report {
            recipe_run_id: attempt.recipe_run_id,
            attempt: Some(attempt.number),
            conclusion: self.conclusion.clone(),
            reason: None,
            trace: None,
        };
        enqueue(&cx.db, &[report.of_attempt("bakery")?], cx.clock.now()).await?;
        Ok(Done(format!("attempt {} at run {}", attempt.number, attempt.recipe_run_id)))
    }
}

/// Where the world can open what a successful run left.
async fn dataset_public_url(cx: &Cx, run: &RecipeRun) -> Result<Option<String>, Failure> {
    let bakery = bakeries::get(&cx.db, run.bakery_id).await?;
    let feedstock = feedstocks::get(&cx.db, run.feedstock_id).await?;
    let (Some(bakery), Some(feedstock)) = (bakery, feedstock) else { return Ok(None) };
    let Some(configured) = cx.bakeries.get(&bakery.name) else {
        tracing::warn!(run = run.id, bakery = bakery.name, "the bakery is not configured: the dataset has no address");
        return Ok(None);
    };
    Ok(configured.target.public_url_of(&subpath(&cx.app_name, &feedstock.spec, run)))
}
