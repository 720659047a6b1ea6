//! Somebody asks for a run by its number: by a button on GitHub, or through the REST API.

use serde::{Deserialize, Serialize};

use super::request::request;
use super::tell::comment_once;
use super::{Cx, github_failure};
use crate::apps::recipes::rows::attempts::{NewAttempt, Requested};
use crate::apps::recipes::rows::{feedstocks, origin, recipe_runs};
use crate::apps::recipes::text::run as text;
use crate::jobs::{Done, Failure, Job, Task};

/// A run is asked for. Queue it without a key: one that waited for a bake of the same run to end
/// would begin another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRun {
    /// Which run.
    pub recipe_run_id: i64,
    /// Who asks: a login, or `api`.
    pub requested_by: String,
    /// Whether that is a login whose permission must be looked up first.
    pub from_github: bool,
    /// The commit whose check run it was asked for at; the run must be of it.
    #[serde(default)]
    pub head_sha: Option<String>,
}

impl Job for RequestRun {
    const KIND: &'static str = "recipes.request_run";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let Some(run) = recipe_runs::get(&cx.db, self.recipe_run_id).await? else {
            return Ok(Done("there is no such run any more".to_owned()));
        };
        if self.head_sha.as_ref().is_some_and(|sha| *sha != run.head_sha) {
            return Ok(Done("the check run is of another database's run".to_owned()));
        }
        if self.from_github && !self.may_run(cx, run.feedstock_id).await? {
            return Ok(Done(format!("{} may not run recipes", self.requested_by)));
        }
        let new =
            NewAttempt { token: task.token.clone(), requested_by: Some(self.requested_by.clone()), comment_id: None };
        Ok(Done(match request(cx, run.id, &new).await? {
            Requested::New(attempt) | Requested::Same(attempt) => format!("attempt {attempt} is queued"),
            Requested::Busy(attempt) => format!("attempt {attempt} is not over yet"),
        }))
    }

    async fn give_up(&self, cx: &Cx, task: &mut Task, failure: &Failure) {
        if let Err(untold) = self.tell(cx, &task.token, failure).await {
            tracing::warn!(job = task.id, reason = untold.reason, "that a run cannot be started is not told");
        }
    }
}

impl RequestRun {
    async fn may_run(&self, cx: &Cx, feedstock: i64) -> Result<bool, Failure> {
        let (Some(feedstock), Some(origin)) =
            (feedstocks::get(&cx.db, feedstock).await?, origin::get(&cx.db, self.recipe_run_id).await?)
        else {
            return Ok(false);
        };
        let repository = cx.github()?.repository(&feedstock.spec, origin.installation_id);
        let permission = repository.permission_of(&self.requested_by).await.map_err(github_failure)?;
        Ok(permission.is_some_and(|permission| permission.may_write()))
    }

    /// Who pressed a button sees nothing else of a failure.
    async fn tell(&self, cx: &Cx, token: &str, failure: &Failure) -> Result<(), Failure> {
        let (Some(run), Some(origin)) =
            (recipe_runs::get(&cx.db, self.recipe_run_id).await?, origin::get(&cx.db, self.recipe_run_id).await?)
        else {
            return Ok(());
        };
        let (Some(number), true) = (origin.pr_number, self.from_github) else { return Ok(()) };
        let Some(feedstock) = feedstocks::get(&cx.db, run.feedstock_id).await? else { return Ok(()) };
        let repository = cx.github()?.repository(&feedstock.spec, origin.installation_id);
        let text = text::not_started(&run.recipe_id, &failure.reason);
        comment_once(&repository, number, token, &text).await.map(drop)
    }
}
