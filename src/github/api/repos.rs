//! Repositories: <https://docs.github.com/en/rest/repos/repos>.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::github::call::{Call, segment};
use crate::github::client::full_name;
use crate::github::{Error, Repository};

/// Whose a repository is.
#[derive(Clone, Debug, Deserialize)]
pub struct Owner {
    /// Its name.
    pub login: String,
    /// `Organization` or `User`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A repository as answered.
#[derive(Clone, Debug, Deserialize)]
pub struct About {
    /// Its id, which stays when it is renamed.
    #[serde(default)]
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// Its page.
    pub html_url: String,
    /// Whose it is.
    pub owner: Owner,
    /// Whether only members see it.
    #[serde(default)]
    pub private: bool,
    /// One line about it.
    #[serde(default)]
    pub description: Option<String>,
    /// The branch that pull requests go to, also when it has no commit yet.
    #[serde(default)]
    pub default_branch: String,
}

impl About {
    /// Whether an organisation owns it: only there may an App make repositories.
    pub fn of_organization(&self) -> bool {
        self.owner.kind == "Organization"
    }
}

/// Body of `POST /orgs/{org}/repos`.
#[derive(Clone, Debug, Serialize)]
pub struct NewRepository {
    /// Its name, without the owner.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// The page that it belongs to.
    pub homepage: String,
    /// Whether only members see it.
    pub private: bool,
    /// With issues.
    pub has_issues: bool,
    /// With projects.
    pub has_projects: bool,
    /// With a wiki.
    pub has_wiki: bool,
    /// With a first commit, without which it has no branch.
    pub auto_init: bool,
    /// Language of its `.gitignore`.
    pub gitignore_template: &'static str,
    /// Its licence.
    pub license_template: &'static str,
}

impl Repository {
    /// `GET /repos/{owner}/{repo}`; `None` when there is none, or none that the App may see.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn about(&self) -> Result<Option<About>, Error> {
        let call = self.call_of_account(Method::GET, format!("/repos/{}", full_name(self.full_name())?))?;
        match self.client().fetch(&call).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// `POST /orgs/{org}/repos`, as the installation of this repository. Not idempotent: GitHub
    /// answers 422 when the name is taken.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_in_organization(&self, org: &str, new: &NewRepository) -> Result<About, Error> {
        let call = self.call_of_account(Method::POST, format!("/orgs/{}/repos", segment(org)?))?;
        self.client().fetch(&call.json(new)?).await
    }

    /// `POST /repos/{template}/generate`, as the installation of this repository: `new` with the
    /// files of `template` in the account `owner`. GitHub copies them after the answer. Not
    /// idempotent: 422 when the name is taken.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn generate(&self, template: &str, owner: &str, new: &NewRepository) -> Result<About, Error> {
        let call = self.call_of_account(Method::POST, format!("/repos/{}/generate", full_name(template)?))?;
        let body = json!({
            "owner": owner,
            "name": new.name,
            "description": new.description,
            "include_all_branches": false,
            "private": new.private,
        });
        self.client().fetch(&call.json(&body)?).await
    }

    /// A call on something else than this repository, as the same installation.
    fn call_of_account(&self, method: Method, path: String) -> Result<Call, Error> {
        let auth = self.call(Method::GET, "")?.auth;
        Ok(Call::new(method, path, auth))
    }
}
