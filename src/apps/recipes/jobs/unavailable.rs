//! Work that is accepted, kept and shown, but that this version cannot do.
//!
//! Such a job is dead at once with a reason, so that it stands in the list of jobs instead of
//! being lost; a later version that can do it takes it up again with `pforge jobs retry`.

use serde::{Deserialize, Serialize};

use super::{Cx, github_failure};
use crate::jobs::{Done, Failure, Job, Task};

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
    async fn changes_only(&self, cx: &Cx, folder: &str) -> Result<bool, Failure> {
        let repository = cx.github()?.repository(&self.base_full_name, self.installation_id);
        let files = repository.pull_files(self.pr_number).await.map_err(github_failure)?;
        Ok(!files.is_empty() && files.iter().all(|file| file.filename.starts_with(folder)))
    }
}

/// A recipe was merged into staged-recipes: create its feedstock repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CreateFeedstock(pub MergedPull);

/// A change was merged into a feedstock: deploy its recipes to production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeployProd(pub MergedPull);

/// `/run RECIPE_ID` on a pull request: a test run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTest {
    /// `owner/name` of the pull request's repository.
    pub base_full_name: String,
    /// Number of the pull request.
    pub pr_number: i64,
    /// The comment that asked for it.
    pub comment_id: i64,
    /// Which recipe.
    pub recipe_id: String,
    /// The App's installation there.
    pub installation_id: Option<i64>,
}

/// A bakery reported the end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which run.
    pub recipe_run_id: i64,
    /// `success` or `failure`.
    pub conclusion: String,
}

const NOT_A_RECIPE: &str = "Not a recipes PR. Skipping.";

impl Job for CreateFeedstock {
    const KIND: &'static str = "recipes.create_feedstock";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        if !self.0.changes_only(cx, "recipes/").await? {
            return Ok(Done(NOT_A_RECIPE.to_owned()));
        }
        Err(unavailable("creating feedstock repositories"))
    }
}

impl Job for DeployProd {
    const KIND: &'static str = "recipes.deploy_prod";
    type Cx = Cx;

    async fn run(&self, cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        if !self.0.changes_only(cx, "feedstock/").await? {
            return Ok(Done(NOT_A_RECIPE.to_owned()));
        }
        Err(unavailable("deploying production runs"))
    }
}

impl Job for RunTest {
    const KIND: &'static str = "recipes.run_test";
    type Cx = Cx;

    async fn run(&self, _cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        Err(unavailable("running recipes"))
    }
}

impl Job for Report {
    const KIND: &'static str = "recipes.report";
    type Cx = Cx;

    async fn run(&self, _cx: &Cx, _task: &mut Task) -> Result<Done, Failure> {
        Err(unavailable("taking the reports of bakeries"))
    }
}

fn unavailable(what: &str) -> Failure {
    Failure::permanent(format!("{what} is not available in this version of pforge"))
}
