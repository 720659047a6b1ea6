//! What people do with check runs, collaborators and whole repositories, and how they look at what came of it.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::emulator::person::{Files, Person, PersonError};

impl Person {
    /// Makes a repository that others may begin with.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn create_template(&self, owner: &str, name: &str, files: &Files) -> Result<Value, PersonError> {
        self.post("/repos", json!({ "owner": owner, "name": name, "files": files, "template": true })).await
    }

    /// Deletes a repository, such as a fork; pull requests from it stay.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn delete_repo(&self, repo: &str) -> Result<(), PersonError> {
        self.call(Method::DELETE, &format!("/repos/{repo}"), None).await.map(drop)
    }

    /// Makes `user` a collaborator with a `role`: `read`, `triage`, `write`, `maintain` or `admin`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn add_collaborator(&self, repo: &str, user: &str, role: &str) -> Result<(), PersonError> {
        let path = format!("/repos/{repo}/collaborators/{user}");
        self.call(Method::PUT, &path, Some(json!({ "role": role }))).await.map(drop)
    }

    /// Accepts an invitation to a repository as `user`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn accept_invitation(&self, repo: &str, user: &str) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/collaborators/{user}/accept"), json!({})).await.map(drop)
    }

    /// Merges a pull request as `user`; gives the merge commit.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn merge_as(&self, repo: &str, number: i64, user: &str) -> Result<String, PersonError> {
        let merged = self.post(&format!("/repos/{repo}/pulls/{number}/merge"), json!({ "user": user })).await?;
        Ok(merged["sha"].as_str().unwrap_or_default().to_owned())
    }

    /// Makes a pull request a draft, or ready for review.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn set_draft(&self, repo: &str, number: i64, draft: bool) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/pulls/{number}/draft"), json!({ "draft": draft })).await.map(drop)
    }

    /// Presses "Re-run" at a check run, as `user` or as the person at the browser.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn rerequest_run(&self, repo: &str, run: i64, user: Option<&str>) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/check-runs/{run}/rerequest"), json!({ "user": user })).await.map(drop)
    }

    /// Presses "Re-run all checks" of a suite.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn rerequest_suite(&self, repo: &str, suite: i64, user: Option<&str>) -> Result<(), PersonError> {
        self.post(&format!("/repos/{repo}/check-suites/{suite}/rerequest"), json!({ "user": user })).await.map(drop)
    }

    /// Presses the button `identifier` that the App has put on a check run.
    ///
    /// # Errors
    /// See [`PersonError`]; refused when there is no such button.
    pub async fn press_button(
        &self,
        repo: &str,
        run: i64,
        identifier: &str,
        user: Option<&str>,
    ) -> Result<(), PersonError> {
        let body = json!({ "identifier": identifier, "user": user });
        self.post(&format!("/repos/{repo}/check-runs/{run}/actions"), body).await.map(drop)
    }

    /// Everything in short: repositories, Apps, installations.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn overview(&self) -> Result<Value, PersonError> {
        self.call(Method::GET, "", None).await
    }

    /// All deliveries without their payloads, oldest first; those under way have a `status` of null.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn delivery_states(&self) -> Result<Vec<Value>, PersonError> {
        self.get("/delivery-states").await
    }

    /// All check runs of a repository, newest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn all_check_runs(&self, repo: &str) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/repos/{repo}/check-runs")).await
    }

    /// A repository with its `refs`, `collaborators` and `invitations`.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn repository(&self, repo: &str) -> Result<Value, PersonError> {
        self.call(Method::GET, &format!("/repos/{repo}"), None).await
    }

    /// The text of all files on the default branch, or at `reference`, by path.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn files(&self, repo: &str, reference: Option<&str>) -> Result<BTreeMap<String, String>, PersonError> {
        let query = reference.map(|name| format!("?ref={name}")).unwrap_or_default();
        let files = self.call(Method::GET, &format!("/repos/{repo}/files{query}"), None).await?;
        serde_json::from_value(files).map_err(|e| PersonError::Flow(e.to_string()))
    }

    /// All issues and (in their long form) pull requests, oldest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn issues(&self, repo: &str) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/repos/{repo}/issues")).await
    }

    /// The reactions to a comment, oldest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn reactions(&self, repo: &str, comment: i64) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/repos/{repo}/comments/{comment}/reactions")).await
    }

    /// The deployments of a repository, oldest first, each with its `statuses`, oldest first.
    ///
    /// # Errors
    /// See [`PersonError`].
    pub async fn deployments(&self, repo: &str) -> Result<Vec<Value>, PersonError> {
        self.get(&format!("/repos/{repo}/deployments")).await
    }
}
