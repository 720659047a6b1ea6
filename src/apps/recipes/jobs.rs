//! What the recipes app does, as durable jobs.

mod synchronize;
mod unavailable;

use std::sync::Arc;

pub use self::synchronize::Synchronize;
pub use self::unavailable::{CreateFeedstock, DeployProd, MergedPull, Report, RunTest};
use super::runner::{Runner, RunnerFailure};
use super::settings::Settings;
use crate::github;
use crate::jobs::job::Retry;
use crate::jobs::{Failure, Registry};
use crate::store::Db;
use crate::util::Clock;

/// What the jobs need to do their work.
pub struct Cx {
    /// What the operator set.
    pub settings: Settings,
    /// GitHub, when credentials are configured.
    pub github: Option<github::Client>,
    /// What expands recipes, when it can work.
    pub runner: Option<Arc<dyn Runner>>,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
}

impl Cx {
    fn github(&self) -> Result<&github::Client, Failure> {
        self.github.as_ref().ok_or_else(|| {
            Failure::permanent("no GitHub App credentials are configured: the github_app section is missing")
        })
    }
}

/// Adds every job type of this app.
pub fn register(registry: &mut Registry, cx: &Arc<Cx>) {
    registry.register::<Synchronize>(Arc::clone(cx));
    registry.register::<CreateFeedstock>(Arc::clone(cx));
    registry.register::<DeployProd>(Arc::clone(cx));
    registry.register::<RunTest>(Arc::clone(cx));
    registry.register::<Report>(Arc::clone(cx));
}

/// Whether GitHub's refusal may pass: outages and limits do, a missing permission does not.
fn github_failure(error: github::Error) -> Failure {
    let retry = match error.retry_after() {
        Some(wait) => Retry::After(wait),
        None if error.is_transient() => Retry::Backoff,
        None => Retry::Never,
    };
    let explanation = match &error {
        github::Error::Status(status) => status.explanation.as_deref().map(|text| format!(" ({text})")),
        _ => None,
    };
    Failure { reason: format!("{error}{}", explanation.unwrap_or_default()), retry }
}

/// What became of an expansion that gave no recipes: a text for the feedstock's author, or a
/// failure of the job.
fn runner_failure(error: RunnerFailure) -> Result<String, Failure> {
    match error {
        RunnerFailure::Feedstock(_) | RunnerFailure::TimedOut(_) => Ok(error.to_string()),
        RunnerFailure::Broken(_) => Err(Failure::permanent(error.to_string())),
        RunnerFailure::GitHub(error) => Err(github_failure(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn status(status: u16, retry_after: Option<Duration>) -> github::Error {
        github::Error::Status(Box::new(github::error::StatusError {
            method: "GET".into(),
            path: "/x".into(),
            status,
            message: "m".into(),
            errors: Vec::new(),
            documentation_url: None,
            retry_after,
            accepted_permissions: None,
            explanation: Some("why".into()),
        }))
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let wait = Duration::from_secs(9);
        for (error, expected) in [
            (status(502, None), Retry::Backoff),
            (status(429, None), Retry::Backoff),
            (status(403, Some(wait)), Retry::After(wait)),
            (status(403, None), Retry::Never),
            (status(404, None), Retry::Never),
            (github::Error::NotInstalled("o/r".into()), Retry::Never),
        ] {
            assert_eq!(github_failure(error).retry, expected);
        }
        assert_eq!(github_failure(status(404, None)).reason, "GET /x: 404 m (why)");
    }
}
