//! The recipe goes into the feedstock: by a pull request, whose merge starts the production run.

use std::time::Duration;

use tokio::time::sleep;

use super::Work;
use super::making::Way;
use super::plan::File;
use super::propose::{self, Opened, Outcome};
use crate::apps::recipes::jobs::github_failure;
use crate::apps::recipes::text::feedstock as text;
use crate::github::Repository;
use crate::github::api::pulls::NewPull;
use crate::jobs::Failure;

/// The branch that the recipe comes from.
const BRANCH: &str = "create-feedstock";
/// How long the first commit of a new repository is waited for in one attempt, in seconds.
const FIRST_COMMIT_S: u32 = 5;

impl Work<'_> {
    /// Opens the pull request with all files of the recipe.
    pub(super) async fn propose_recipe(&mut self, at: usize) -> Result<(), Failure> {
        if self.makings[at].pull.is_some() {
            return Ok(());
        }
        let feedstock = self.feedstock(at);
        let base = self.makings[at].default_branch.clone().unwrap_or_default();
        if self.makings[at].branch.is_none() {
            let tip = self.first_commit(at, &feedstock, &base).await?;
            feedstock.create_branch(BRANCH, &tip).await.map_err(github_failure)?;
            self.note(at, |making| making.branch = Some(BRANCH.to_owned())).await?;
        }
        let files = self.files(at).await?;
        let begun = self.makings[at].files;
        for (index, file) in files.iter().enumerate().skip(begun) {
            self.copy(&feedstock, file).await?;
            self.note(at, |making| making.files = index + 1).await?;
        }
        let making = &self.makings[at];
        let new = NewPull {
            title: format!("Create {}", making.spec),
            head: BRANCH.to_owned(),
            base,
            body: text::recipe_pull(&making.folder, &self.merged.base_full_name, self.merged.pr_number),
        };
        match propose::open(&feedstock, &new, self.task.begun_before).await? {
            Opened::Pull(number) => {
                // Without such a label this very App would not see the merge.
                if let Some(label) = self.cx.settings.run_only_on.first() {
                    let label = std::slice::from_ref(label);
                    feedstock.add_labels(number, label).await.map_err(github_failure)?;
                }
                self.note(at, |making| making.pull = Some(number)).await
            }
            // Files of the repository's template, or of a person: they are what was to be put there.
            Opened::NoChange => Err(Failure::permanent(format!(
                "{} holds the recipe already, and no pull request of it can be merged: start its production run there",
                making.spec
            ))),
        }
    }

    /// Merges it and deletes its branch.
    pub(super) async fn merge_recipe(&mut self, at: usize) -> Result<(), Failure> {
        let feedstock = self.feedstock(at);
        if let (Some(number), None) = (self.makings[at].pull, &self.makings[at].merged) {
            let spec = feedstock.full_name();
            let sha = match propose::merge(&feedstock, number, self.task.begun_before).await? {
                Outcome::Merged(sha) => sha,
                Outcome::Conflict => {
                    return Err(Failure::permanent(format!(
                        "{spec}#{number} conflicts with another change of {spec}: merge it by hand"
                    )));
                }
                Outcome::Closed => {
                    return Err(Failure::permanent(format!("{spec}#{number} was closed without being merged")));
                }
            };
            self.note(at, |making| making.merged = Some(sha)).await?;
        }
        if !self.makings[at].branch_deleted {
            feedstock.delete_branch(BRANCH).await.map_err(github_failure)?;
            self.note(at, |making| making.branch_deleted = true).await?;
        }
        Ok(())
    }

    /// The commit that the branch starts from. GitHub copies a template after it has answered.
    async fn first_commit(&self, at: usize, feedstock: &Repository, branch: &str) -> Result<String, Failure> {
        for _ in 0..FIRST_COMMIT_S {
            if let Some(tip) = feedstock.branch_tip(branch).await.map_err(github_failure)? {
                return Ok(tip);
            }
            if self.makings[at].way == Some(Way::ByHand) {
                let spec = feedstock.full_name();
                return Err(Failure::permanent(format!("{spec} is empty: add a file to it, such as a README")));
            }
            sleep(Duration::from_secs(1)).await;
        }
        Err(Failure::transient(format!("{} has no commit on {branch} yet", feedstock.full_name())))
    }

    /// Puts a file where it belongs in the feedstock, unless it is there.
    async fn copy(&self, feedstock: &Repository, file: &File) -> Result<(), Failure> {
        let content = self.base.file(&file.path, &self.merged.merge_commit_sha).await.map_err(github_failure)?;
        let content = content.ok_or_else(|| Failure::transient(format!("GitHub does not give {}", file.path)))?;
        let path = format!("feedstock/{}", file.inside);
        let message = format!("Adding {path}");
        let refused = match feedstock.put_file(&path, BRANCH, &message, &content, None).await {
            Err(error) if matches!(error.status(), Some(409 | 422)) => error,
            outcome => return outcome.map_err(github_failure),
        };
        match feedstock.file_sha(&path, BRANCH).await.map_err(github_failure)? {
            // An earlier call did it.
            Some(there) if there == file.sha => Ok(()),
            // A template brought another one.
            Some(there) => {
                feedstock.put_file(&path, BRANCH, &message, &content, Some(&there)).await.map_err(github_failure)
            }
            None if refused.status() == Some(409) => Err(Failure::transient(refused.to_string())),
            None => Err(github_failure(refused)),
        }
    }
}
