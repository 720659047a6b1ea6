//! Refs and branches: <https://docs.github.com/en/rest/git>.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::github::call::segment;
use crate::github::{Error, Repository};

#[derive(Deserialize)]
struct Branch {
    commit: Tip,
}

#[derive(Deserialize)]
struct Tip {
    sha: String,
}

impl Repository {
    /// `GET …/branches/{branch}`: its newest commit; `None` when there is no such branch.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn branch_tip(&self, branch: &str) -> Result<Option<String>, Error> {
        let call = self.call(Method::GET, &format!("branches/{}", segment(branch)?))?;
        match self.client().fetch::<Branch>(&call).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => Ok(Some(outcome?.commit.sha)),
        }
    }

    /// `POST …/git/refs`: a branch at `sha`. `false` when it is there already, wherever it points.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_branch(&self, branch: &str, sha: &str) -> Result<bool, Error> {
        let body = json!({ "ref": format!("refs/heads/{branch}"), "sha": sha });
        match self.client().send(&self.call(Method::POST, "git/refs")?.json(&body)?).await {
            Err(Error::Status(error)) if error.status == 422 && error.message.contains("already exists") => Ok(false),
            outcome => outcome.map(|_| true),
        }
    }

    /// `DELETE …/git/refs/heads/{branch}`. `false` when there is no such branch.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_branch(&self, branch: &str) -> Result<bool, Error> {
        let segments = branch.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
        let call = self.call(Method::DELETE, &format!("git/refs/heads/{}", segments.join("/")))?;
        match self.client().send(&call).await {
            Err(error) if matches!(error.status(), Some(404 | 422)) => Ok(false),
            outcome => outcome.map(|_| true),
        }
    }
}
