//! Who owns an App: a person or an organisation, and where GitHub keeps their Apps.

use std::time::Duration;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::github::{self, Client};

/// Longest time that GitHub is asked what kind of account it is: without an answer, it is a person.
const PATIENCE: Duration = Duration::from_secs(8);

/// Who owns an App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub login: String,
    /// Whether it is an organisation.
    pub organization: bool,
}

impl Account {
    /// The account called `login`, of the kind that GitHub says, unless `organization` says it.
    ///
    /// # Errors
    /// When GitHub knows no such account.
    pub async fn find(cx: &Cx, client: &Client, login: &str, organization: bool) -> Result<Self> {
        let named = |organization| Self { login: login.to_owned(), organization };
        if organization {
            return Ok(named(true));
        }
        match tokio::time::timeout(PATIENCE, client.account(login)).await {
            Ok(Ok(owner)) => {
                Ok(Self { organization: owner.kind.as_deref() == Some("Organization"), login: owner.login })
            }
            Ok(Err(error)) if error.status() == Some(404) => {
                Err(Error::new(Kind::NotFound, format!("GitHub has no account {login}"))
                    .because(format!("looked at {}", client.api_url()))
                    .hint("pforge new-app ACCOUNT local --org   # when it is an organisation that only members see"))
            }
            // Enterprise Servers may tell strangers nothing.
            Ok(Err(github::Error::Status(_))) => Ok(named(false)),
            Ok(Err(_)) | Err(_) => {
                cx.ui.warn(format!(
                    "{} does not answer: {login} is taken for a person; --org says that it is an organisation",
                    client.api_url()
                ));
                Ok(named(false))
            }
        }
    }

    /// The page of its Apps, at GitHub for people at `web`.
    pub fn apps_page(&self, web: &str) -> String {
        if self.organization {
            format!("{web}/organizations/{}/settings/apps", self.login)
        } else {
            format!("{web}/settings/apps")
        }
    }

    /// `alice`, `acme (organisation)`.
    pub fn told(&self) -> String {
        if self.organization { format!("{} (organisation)", self.login) } else { self.login.clone() }
    }
}
