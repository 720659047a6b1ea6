//! What the recipes app does, as durable jobs.

mod answer;
mod bake;
mod commit;
mod conclude_check;
mod create_feedstock;
mod deploy_prod;
mod forward;
mod overdue;
mod pull;
mod report;
mod request;
mod request_run;
mod resynchronize;
mod run_test;
mod synchronize;
pub(super) mod tell;

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

pub use self::answer::Answer;
pub use self::bake::Bake;
pub use self::conclude_check::ConcludeCheck;
pub use self::create_feedstock::{Cleanup, CreateFeedstock, Making, Way};
pub use self::deploy_prod::DeployProd;
pub use self::forward::Forward;
pub use self::overdue::Overdue;
pub use self::pull::MergedPull;
pub use self::report::{Report, ReportByName};
pub use self::request::run_key;
pub use self::request_run::RequestRun;
pub use self::resynchronize::{Resynchronize, pull_of};
pub use self::run_test::RunTest;
pub use self::synchronize::Synchronize;
use super::bakeries::Bakeries;
use super::forward::Forwarder;
use super::links::HookUrl;
use super::runner::{Baker, Runner, RunnerFailure};
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
    /// The App's name.
    pub app_name: String,
    /// Where recipes can be run.
    pub bakeries: Bakeries,
    /// GitHub, when credentials are configured.
    pub github: Option<github::Client>,
    /// What expands recipes, when it can work.
    pub runner: Option<Arc<dyn Runner>>,
    /// What expands recipes by executing their code, for people who may ask for that.
    pub trusted_runner: Option<Arc<dyn Runner>>,
    /// What runs recipes, when it can work.
    pub baker: Option<Arc<dyn Baker>>,
    /// What passes deliveries on, when something can.
    pub forwarder: Option<Arc<dyn Forwarder>>,
    /// Where GitHub delivers to.
    pub hook: HookUrl,
    /// The database.
    pub db: Db,
    /// The clock.
    pub clock: Clock,
}

impl Cx {
    pub(super) fn github(&self) -> Result<&github::Client, Failure> {
        self.github.as_ref().ok_or_else(|| {
            Failure::permanent("no GitHub App credentials are configured: the github_app section is missing")
        })
    }
}

/// Adds every job type of this app.
pub fn register(registry: &mut Registry, cx: &Arc<Cx>) {
    registry.register::<Synchronize>(Arc::clone(cx));
    registry.register::<Resynchronize>(Arc::clone(cx));
    registry.register::<ConcludeCheck>(Arc::clone(cx));
    registry.register::<RequestRun>(Arc::clone(cx));
    registry.register::<Answer>(Arc::clone(cx));
    registry.register::<CreateFeedstock>(Arc::clone(cx));
    registry.register::<DeployProd>(Arc::clone(cx));
    registry.register::<RunTest>(Arc::clone(cx));
    registry.register::<Bake>(Arc::clone(cx));
    registry.register::<Report>(Arc::clone(cx));
    registry.register::<ReportByName>(Arc::clone(cx));
    registry.register::<Overdue>(Arc::clone(cx));
    registry.register::<Forward>(Arc::clone(cx));
}

/// Whether GitHub's refusal may pass: outages and limits do, a missing permission does not.
pub(super) fn github_failure(error: github::Error) -> Failure {
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

/// The key of short work on a pull request, which is done in the order of its deliveries.
pub fn pull_key(full_name: &str, number: i64) -> String {
    format!("{full_name}#{number}")
}

/// Now, without a fraction: the form that GitHub documents.
fn seconds(cx: &Cx) -> DateTime<Utc> {
    cx.clock.now().trunc_subsecs(0)
}

/// What became of an expansion that gave no recipes: a text for the feedstock's author, or a
/// failure of the job.
fn runner_failure(error: RunnerFailure) -> Result<String, Failure> {
    match error {
        RunnerFailure::Feedstock(_) | RunnerFailure::ByCode(_) | RunnerFailure::TimedOut(_) => Ok(error.to_string()),
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
