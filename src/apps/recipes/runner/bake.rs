//! Baking: running a recipe at a bakery.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::apps::recipes::bakeries::Bakery;
use crate::github;

/// Which recipe, where, and how.
#[derive(Clone, Debug)]
pub struct BakeRequest {
    /// Web address of the repository that holds the commit.
    pub repo_html_url: String,
    /// Commit.
    pub git_ref: String,
    /// Folder of the feedstock when it is not the default `feedstock`, such as `recipes/gpcp`.
    pub feedstock_subdir: Option<String>,
    /// The repository that the App is installed on; it also holds the commits of pull requests.
    pub base_full_name: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
    /// Which recipe of the feedstock.
    pub recipe_id: String,
    /// Whether only a small part is baked: a test.
    pub prune: bool,
    /// Where it is baked.
    pub bakery: Bakery,
    /// `{subpath}` of the storages, see [`bakeries::subpath`](crate::apps::recipes::subpath::subpath).
    pub subpath: String,
    /// Name of the job at a remote bakery.
    pub job_name: Option<String>,
}

/// How a bake ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Baked {
    /// The dataset is there.
    Completed,
    /// A remote bakery has the job and will report.
    Submitted {
        /// Its name there.
        job_name: Option<String>,
        /// Its id there.
        job_id: String,
    },
}

/// Why a bake did not end well.
#[derive(Debug, thiserror::Error)]
pub enum BakeFailure {
    /// The recipe failed: its author must act.
    #[error("{reason}")]
    Recipe {
        /// One line, without secrets.
        reason: String,
        /// The whole trace, without secrets.
        trace: Option<String>,
    },
    /// It took too long and was stopped.
    #[error("the run did not end within {} s and was stopped", .0.as_secs())]
    TimedOut(Duration),
    /// Somebody asked to stop it.
    #[error("the run was cancelled")]
    Cancelled,
    /// The runner cannot work here: the operator must act.
    #[error("the recipe runner does not work: {0}")]
    Broken(String),
    /// GitHub did not give the recipe.
    #[error(transparent)]
    GitHub(#[from] github::Error),
}

/// Something that bakes.
pub trait Baker: Send + Sync {
    /// Bakes. What the runner writes goes to `log` line by line, without secrets, while it runs.
    /// When `cancel` fires, or when this is dropped, all that it started is stopped.
    fn bake<'a>(
        &'a self,
        request: &'a BakeRequest,
        log: mpsc::Sender<String>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Baked, BakeFailure>>;
}
