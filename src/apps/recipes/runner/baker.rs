//! Baking by pangeo-forge-runner, or what stands in for it.

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::checkout::Commit;
use super::launch::{Ask, Ended, Launcher, Trouble};
use super::output::Submitted;
use super::{BakeFailure, BakeRequest, Baked, Baker};

/// Bakes by a configured command.
#[derive(Clone, Debug)]
pub struct CommandBaker {
    launcher: Launcher,
}

impl CommandBaker {
    /// A baker that starts the command by `launcher`.
    pub(super) fn new(launcher: Launcher) -> Self {
        Self { launcher }
    }

    async fn run(
        &self,
        request: &BakeRequest,
        log: mpsc::Sender<String>,
        cancel: CancellationToken,
    ) -> Result<Baked, BakeFailure> {
        let timeout = self.launcher.settings().bake_timeout();
        let prune = request.prune.then(|| "--prune".to_owned());
        let recipe = format!("--Bake.recipe_id={}", request.recipe_id);
        let ask = Ask {
            verb: "bake",
            commit: Commit {
                repo_html_url: &request.repo_html_url,
                sha: &request.git_ref,
                feedstock_subdir: request.feedstock_subdir.as_deref(),
                base_full_name: &request.base_full_name,
                installation_id: request.installation_id,
            },
            arguments: prune.into_iter().chain([recipe]).collect(),
            config: Some(request.bakery.runner_config(&request.subpath, request.job_name.as_deref())),
            writable: request.bakery.local_folders(&request.subpath),
            known: request.bakery.known(),
            timeout,
        };
        let ended = self.launcher.run(ask, Some(log), &cancel).await.map_err(|trouble| match trouble {
            Trouble::Feedstock(reason) => BakeFailure::Recipe { reason, trace: None },
            Trouble::TimedOut => BakeFailure::TimedOut(timeout),
            Trouble::Cancelled => BakeFailure::Cancelled,
            Trouble::Broken(reason) => BakeFailure::Broken(reason),
            Trouble::GitHub(error) => BakeFailure::GitHub(error),
        })?;
        judge(ended)
    }
}

impl Baker for CommandBaker {
    fn bake<'a>(
        &'a self,
        request: &'a BakeRequest,
        log: mpsc::Sender<String>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Baked, BakeFailure>> {
        Box::pin(self.run(request, log, cancel))
    }
}

/// The exit code decides; the last status explains. A local bake that went well ends without a
/// word.
fn judge(ended: Ended) -> Result<Baked, BakeFailure> {
    let Ended { status, outcome, cleaner, .. } = ended;
    if !status.success() {
        let stderr = outcome.stderr();
        let reason = outcome.failed.clone().or_else(|| outcome.stderr_line()).or(outcome.text);
        let reason = reason.unwrap_or_else(|| format!("the recipe runner said nothing and ended with {status}"));
        let trace = outcome.trace.or(stderr).map(|trace| cleaner.text(trace.trim_end()));
        return Err(BakeFailure::Recipe { reason: cleaner.text(&reason), trace });
    }
    Ok(match outcome.submitted {
        None => Baked::Completed,
        Some(Submitted { job_name, job_id }) => Baked::Submitted { job_name, job_id },
    })
}
