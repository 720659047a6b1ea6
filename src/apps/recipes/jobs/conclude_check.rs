//! A check run that its job could not conclude when it gave up: GitHub was away, and comes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Cx, github_failure, seconds};
use crate::apps::recipes::text::checks as text;
use crate::github::api::checks::{CheckRun, Conclude};
use crate::jobs::{Done, Failure, Job, Task};

/// A check run that shall not stay open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcludeCheck {
    /// `owner/name`.
    pub base_full_name: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
    /// Its commit.
    pub head_sha: String,
    /// Its `external_id`.
    pub external_id: String,
    /// Its name.
    pub name: String,
    /// Why its job gave up.
    pub reason: String,
}

impl Job for ConcludeCheck {
    const KIND: &'static str = "recipes.conclude_check";
    /// With the schedule's longest wait of an hour: four days.
    const MAX_ATTEMPTS: u32 = 100;
    const TIMEOUT: Duration = Duration::from_secs(60);
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let there = repository.check_runs(&self.head_sha, &self.name).await.map_err(github_failure)?;
        let ours = |check: &CheckRun| check.external_id.as_deref() == Some(self.external_id.as_str());
        // One that is completed was concluded by the job itself, put back meanwhile.
        let Some(check) = there.into_iter().find(|check| ours(check) && !check.is_completed()) else {
            return Ok(Done("no such check run is open".to_owned()));
        };
        let end = Conclude {
            status: "completed",
            conclusion: "failure",
            completed_at: seconds(cx),
            output: text::failed(&self.reason),
            actions: Vec::new(),
        };
        repository.conclude_check_run(check.id, &end).await.map_err(github_failure)?;
        Ok(Done(format!("check run {} concluded failure", check.id)))
    }
}
