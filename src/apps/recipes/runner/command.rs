//! Expanding by pangeo-forge-runner, or what stands in for it.

use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::checkout::Commit;
use super::launch::{Ask, Ended, Launcher, Trouble};
use super::scan::Known;
use super::static_meta::{self, StaticRunner};
use super::{CommandBaker, ExpandRequest, Meta, Runner, RunnerFailure};
use crate::apps::recipes::settings::RunnerSettings;
use crate::github;

/// Runs a configured command.
#[derive(Clone, Debug)]
pub struct CommandRunner {
    launcher: Launcher,
    /// Reads what the command leaves out.
    reader: Option<StaticRunner>,
}

impl CommandRunner {
    /// A runner of the configured command. Feedstocks are fetched through `github`, unless the
    /// command fetches them.
    pub fn new(settings: &RunnerSettings, github: Option<github::Client>) -> Self {
        let reader = github.clone().map(StaticRunner::new);
        Self { launcher: Launcher::new(settings, github), reader }
    }

    /// A baker of the same command.
    pub fn baker(&self) -> CommandBaker {
        CommandBaker::new(self.launcher.clone())
    }

    async fn run(&self, request: &ExpandRequest) -> Result<Meta, RunnerFailure> {
        let timeout = self.launcher.settings().timeout();
        let ask = Ask {
            verb: "expand-meta",
            commit: Commit {
                repo_html_url: &request.repo_html_url,
                sha: &request.head_sha,
                feedstock_subdir: request.feedstock_subdir.as_deref(),
                base_full_name: &request.base_full_name,
                installation_id: request.installation_id,
            },
            arguments: Vec::new(),
            config: None,
            writable: Vec::new(),
            known: Known::default(),
            timeout,
        };
        let ended = self.launcher.run(ask, None, &CancellationToken::new()).await.map_err(|trouble| match trouble {
            Trouble::Feedstock(reason) => RunnerFailure::Feedstock(reason),
            // Nobody cancels an expansion.
            Trouble::TimedOut | Trouble::Cancelled => RunnerFailure::TimedOut(timeout),
            Trouble::Broken(reason) => RunnerFailure::Broken(reason),
            Trouble::GitHub(error) => RunnerFailure::GitHub(error),
        })?;
        let file = ended.meta.clone();
        let mut meta = judge(ended)?;
        // pangeo-forge-runner from 0.10 on leaves the bakery out of its result.
        if meta.bakery.is_none() {
            meta.bakery = match (file, &self.reader) {
                (Some(file), _) => static_meta::bakery_of(request, &file)?,
                (None, Some(reader)) => reader.bakery(request).await?,
                (None, None) => None,
            };
        }
        Ok(meta)
    }
}

impl Runner for CommandRunner {
    fn expand_meta<'a>(&'a self, request: &'a ExpandRequest) -> BoxFuture<'a, Result<Meta, RunnerFailure>> {
        Box::pin(self.run(request))
    }
}

/// The exit code decides; the last status explains.
fn judge(ended: Ended) -> Result<Meta, RunnerFailure> {
    let Ended { status, outcome, cleaner, .. } = ended;
    let failure = |reason: &str| RunnerFailure::Feedstock(cleaner.text(reason));
    let stderr = outcome.stderr_line();
    if !status.success() {
        let reason = outcome.failed.or(stderr).or(outcome.text);
        let reason = reason.unwrap_or_else(|| format!("the recipe runner said nothing and ended with {status}"));
        return Err(failure(&reason));
    }
    let meta = outcome.meta.ok_or_else(|| {
        let reason = outcome.failed.or(outcome.text).or(stderr).map(|text| format!(": {text}")).unwrap_or_default();
        failure(&format!("the recipe runner ended without a result{reason}"))
    })?;
    Meta::deserialize(&meta).map_err(|error| failure(&format!("the recipe runner's result is not usable: {error}")))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
