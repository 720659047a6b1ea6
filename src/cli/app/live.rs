//! The App as GitHub knows it, all of it.

use futures_util::try_join;

use super::owner::Account;
use crate::cli::client;
use crate::cli::config::ConfigFile;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::github::api::apps::{App, HookConfig, Installation};
use crate::github::explain::web_url;
use crate::github::{Client, Error};

/// What GitHub says.
#[derive(Clone, Debug)]
pub struct Live {
    /// The App.
    pub app: App,
    /// Its webhook, when it has one.
    pub hook: Option<HookConfig>,
    /// Where it is installed.
    pub installations: Vec<Installation>,
    /// Its key's fingerprint, as its settings page shows it.
    pub fingerprint: String,
    /// Its settings page.
    pub settings: String,
}

impl Live {
    /// Asks GitHub for the App of `file`.
    ///
    /// # Errors
    /// When the file has no App, or GitHub refuses or does not answer.
    pub async fn ask(cx: &Cx, file: &ConfigFile) -> Result<Self> {
        Self::of(&client::of_app(cx, file)?).await
    }

    /// Asks GitHub for the App of `client`.
    ///
    /// # Errors
    /// When GitHub refuses or does not answer.
    pub async fn of(client: &Client) -> Result<Self> {
        let (app, hook, installations) = try_join!(client.app(), hook(client), client.installations())?;
        let owner = app.owner.clone();
        let account = Account {
            organization: owner.as_ref().is_some_and(|owner| owner.kind.as_deref() == Some("Organization")),
            login: owner.map(|owner| owner.login).unwrap_or_default(),
        };
        let page = account.apps_page(&web_url(client.api_url()));
        Ok(Self {
            settings: app.slug.as_ref().map_or(page.clone(), |slug| format!("{page}/{slug}")),
            fingerprint: client.key_fingerprint()?.to_owned(),
            app,
            hook,
            installations,
        })
    }

    /// Where deliveries go.
    pub fn hook_url(&self) -> Option<&str> {
        self.hook.as_ref().and_then(|hook| hook.url.as_deref()).filter(|url| !url.is_empty())
    }

    /// Who owns it.
    pub fn owner(&self) -> &str {
        self.app.owner.as_ref().map_or("?", |owner| owner.login.as_str())
    }
}

async fn hook(client: &Client) -> std::result::Result<Option<HookConfig>, Error> {
    match client.hook_config().await {
        Err(error) if error.status() == Some(404) => Ok(None),
        outcome => outcome.map(Some),
    }
}
