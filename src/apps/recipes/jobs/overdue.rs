//! A remote bakery never reported the end of an attempt: it timed out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Cx, Report};
use crate::apps::recipes::rows::attempts;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::jobs::{NewJob, enqueue};
use crate::util::text;

/// A remote bakery never reported the end of an attempt: it timed out. Queued with the time at
/// which that is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// Which run.
    pub recipe_run_id: i64,
    /// Which attempt at it.
    pub attempt: i32,
}

impl Overdue {
    /// This job, for then. It has no key: with the run's it would keep the run's other jobs waiting.
    ///
    /// # Errors
    /// When the value has no JSON form.
    pub fn at(&self, then: DateTime<Utc>) -> Result<NewJob, serde_json::Error> {
        let token = format!("recipe-run/{}/attempt/{}/is-overdue", self.recipe_run_id, self.attempt);
        Ok(NewJob { run_at: Some(then), ..self.queued(None, token)? })
    }
}

impl Job for Overdue {
    const KIND: &'static str = "recipes.overdue";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        let Self { recipe_run_id, attempt: number } = *self;
        let attempt = attempts::get(&cx.db, recipe_run_id, number).await?;
        let Some(attempt) = attempt.filter(|attempt| attempt.ended_at.is_none()) else {
            return Ok(Done(format!("attempt {number} at run {recipe_run_id} is over")));
        };
        let since = attempt.started_at.unwrap_or(attempt.requested_at);
        let waited = (cx.clock.now() - since).to_std().unwrap_or_default();
        let report = Report {
            recipe_run_id,
            attempt: Some(number),
            conclusion: "timed_out".to_owned(),
            reason: Some(format!("the bakery did not report the end of the run within {}", text::duration(waited))),
            trace: None,
        };
        enqueue(&cx.db, &[report.of_attempt("overdue-report")?], cx.clock.now()).await?;
        Ok(Done(format!("attempt {number} at run {recipe_run_id} timed out")))
    }
}
