//! A merged pull request, as the jobs that follow from it need it.

use serde::{Deserialize, Serialize};

use super::{Cx, github_failure};
use crate::jobs::Failure;

/// What a job says that finds nothing to do.
pub(super) const NOT_A_RECIPE: &str = "Not a recipes PR. Skipping.";

/// A pull request that was merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedPull {
    /// `owner/name` of the repository that it was merged into.
    pub base_full_name: String,
    /// That repository's page.
    pub base_html_url: String,
    /// That repository's address in the REST API.
    pub base_api_url: String,
    /// The branch that it was merged into.
    pub base_ref: String,
    /// Its number.
    pub pr_number: i64,
    /// The commit that merged it.
    pub merge_commit_sha: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

impl MergedPull {
    /// Whether all that it changed is inside `folder`, which ends with a slash.
    pub(super) async fn changes_only(&self, cx: &Cx, folder: &str) -> Result<bool, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let files = repository.pull_files(self.pr_number).await.map_err(github_failure)?;
        Ok(!files.is_empty() && files.iter().all(|file| file.filename.starts_with(folder)))
    }
}
