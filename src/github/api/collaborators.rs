//! Who may do what in a repository: <https://docs.github.com/en/rest/collaborators/collaborators>.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::github::call::segment;
use crate::github::{Error, Repository};

/// What a person may do in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Permission {
    /// `admin`, `write`, `read` or `none`; `maintain` counts as `write`, `triage` as `read`.
    pub permission: String,
    /// The role by its own name, also a custom one.
    #[serde(default)]
    pub role_name: Option<String>,
}

impl Permission {
    /// Whether the person may push.
    pub fn may_write(&self) -> bool {
        matches!(self.permission.as_str(), "admin" | "maintain" | "write")
    }
}

impl Repository {
    /// `GET …/collaborators/{login}/permission`; `None` for somebody that GitHub does not know.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn permission_of(&self, login: &str) -> Result<Option<Permission>, Error> {
        let call = self.call(Method::GET, &format!("collaborators/{}/permission", segment(login)?))?;
        match self.client().fetch(&call).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// `PUT …/collaborators/{login}`: invites somebody, or does nothing when that was done before.
    /// `permission` (`pull`, `push`, `admin`, …) is only known to repositories of organisations.
    ///
    /// # Errors
    /// See [`Error`]; 404 for a name that nobody has.
    pub async fn invite(&self, login: &str, permission: Option<&str>) -> Result<(), Error> {
        let call = self.call(Method::PUT, &format!("collaborators/{}", segment(login)?))?;
        let body = permission.map_or_else(|| json!({}), |permission| json!({ "permission": permission }));
        self.client().send(&call.json(&body)?).await.map(drop)
    }
}
