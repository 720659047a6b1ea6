//! All checks of a commit are asked for again: it is synchronized for each pull request that had it
//! synchronized before.
//!
//! GitHub names no pull requests in the event when they come from forks. Our own check runs on the
//! commit do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Cx, Synchronize, github_failure, pull_key};
use crate::apps::recipes::text::checks as text;
use crate::jobs::{Done, Failure, Job, Task};
use crate::store::jobs::enqueue;

/// All checks of a commit are asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resynchronize {
    /// The commit.
    pub head_sha: String,
    /// The REST address of the repository.
    pub base_api_url: String,
    /// `owner/name` of the repository.
    pub base_full_name: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

/// The pull request in the `external_id` of a check run called `synchronize`.
pub fn pull_of(external_id: &str) -> Option<i64> {
    let number = external_id.strip_prefix("pull/")?.split('/').next()?;
    number.parse().ok().filter(|number| *number > 0)
}

impl Job for Resynchronize {
    const KIND: &'static str = "recipes.resynchronize";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, task: &mut Task) -> Result<Done, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let checks = repository.check_runs(&self.head_sha, text::CHECK_NAME).await.map_err(github_failure)?;
        let pulls: BTreeSet<i64> = checks.iter().filter_map(|check| pull_of(check.external_id.as_deref()?)).collect();
        let mut jobs = Vec::with_capacity(pulls.len());
        for pr_number in &pulls {
            let job = Synchronize {
                head_html_url: None,
                head_sha: self.head_sha.clone(),
                pr_number: *pr_number,
                base_api_url: self.base_api_url.clone(),
                base_full_name: self.base_full_name.clone(),
                installation_id: self.installation_id,
            };
            let key = pull_key(&self.base_full_name, *pr_number);
            let job = job.queued(Some(key), format!("{}/{pr_number}", task.token));
            jobs.push(job.map_err(|error| Failure::permanent(error.to_string()))?);
        }
        enqueue(&cx.db, &jobs, cx.clock.now()).await?;
        let numbers: Vec<String> = pulls.iter().map(|number| format!("#{number}")).collect();
        Ok(Done(match numbers.as_slice() {
            [] => "no pull request had this commit synchronized".to_owned(),
            _ => format!("{} of {} synchronized again", self.head_sha, numbers.join(", ")),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_runs_name_their_pull_request() {
        for (external_id, expected) in [
            ("pull/3/delivery:7:g:recipes.synchronize", Some(3)),
            ("pull/31/x", Some(31)),
            ("pull/0/x", None),
            ("pull/-3/x", None),
            ("pull/x", None),
            ("recipe-run/3", None),
            ("", None),
        ] {
            assert_eq!(pull_of(external_id), expected, "{external_id}");
        }
    }
}
