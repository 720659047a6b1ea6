//! Deployments and their statuses: <https://docs.github.com/en/rest/deployments>.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::github::{Error, Repository};
use crate::util::text::truncate;

/// Longest description, in characters.
const MAX_CHARACTERS: usize = 140;

/// Body of `POST …/deployments`. Nothing is merged first, and no check must have passed.
#[derive(Clone, Debug, Serialize)]
pub struct NewDeployment {
    /// A commit, branch or tag.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Where to.
    pub environment: String,
    /// One line; what is longer than 140 characters is cut.
    pub description: String,
    /// Our own words, to find it again.
    pub payload: Value,
}

/// A deployment as answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: i64,
    /// The commit.
    #[serde(default)]
    pub sha: String,
    /// Where to.
    #[serde(default)]
    pub environment: String,
    /// What it was made with: an object, or a text of one.
    #[serde(default)]
    pub payload: Value,
}

/// Body of `POST …/deployments/{id}/statuses`.
#[derive(Clone, Debug, Serialize)]
pub struct NewStatus {
    /// `queued`, `in_progress`, `success`, `failure`, `error`, `pending` or `inactive`.
    pub state: &'static str,
    /// Where the result is seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_url: Option<String>,
    /// Where the log is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
    /// One line; what is longer than 140 characters is cut.
    pub description: String,
}

/// A status as answered.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// Its id.
    pub id: i64,
    /// See [`NewStatus::state`].
    pub state: String,
    /// See [`NewStatus::description`].
    #[serde(default)]
    pub description: Option<String>,
    /// See [`NewStatus::environment_url`].
    #[serde(default)]
    pub environment_url: Option<String>,
}

impl Repository {
    /// `GET …/deployments?sha=…&environment=…`, all pages, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn deployments(&self, sha: &str, environment: &str) -> Result<Vec<Deployment>, Error> {
        let call = self.call(Method::GET, "deployments")?;
        let call = call.query("sha", sha).query("environment", environment).query("per_page", 100);
        self.client().list(&call).await
    }

    /// `POST …/deployments`. Not idempotent: look through [`Repository::deployments`] first.
    ///
    /// # Errors
    /// [`Error::Decode`] when GitHub merged something instead, which it was told not to; else see [`Error`].
    pub async fn create_deployment(&self, new: &NewDeployment) -> Result<Deployment, Error> {
        let mut body = serde_json::to_value(new).unwrap_or_default();
        body["description"] = truncate(&new.description, MAX_CHARACTERS).into();
        body["auto_merge"] = false.into();
        body["required_contexts"] = Value::Array(Vec::new());
        let call = self.call(Method::POST, "deployments")?.json(&body)?;
        let answer = self.client().send(&call).await?;
        if answer.status == StatusCode::ACCEPTED {
            return Err(call.undecodable("GitHub accepted it without making a deployment"));
        }
        answer.json(&call)
    }

    /// `GET …/deployments/{id}/statuses`, all pages, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn deployment_statuses(&self, deployment: i64) -> Result<Vec<Status>, Error> {
        let call = self.call(Method::GET, &format!("deployments/{deployment}/statuses"))?.query("per_page", 100);
        self.client().list(&call).await
    }

    /// `POST …/deployments/{id}/statuses`. Not idempotent: look through
    /// [`Repository::deployment_statuses`] first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_deployment_status(&self, deployment: i64, new: &NewStatus) -> Result<Status, Error> {
        let new = NewStatus { description: truncate(&new.description, MAX_CHARACTERS), ..new.clone() };
        let call = self.call(Method::POST, &format!("deployments/{deployment}/statuses"))?.json(&new)?;
        self.client().fetch(&call).await
    }
}
