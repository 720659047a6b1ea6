//! The client that speaks as the App of a config file.

use super::config::{ConfigFile, GithubApp};
use super::cx::Cx;
use super::error::{Error, Result};
use crate::github::{AppCredentials, Client, Config, Tuning};

/// The client of the App in `file`; does no I/O.
///
/// # Errors
/// When the file has no App, its key cannot sign, or the address of the API is wrong.
pub fn of_app(cx: &Cx, file: &ConfigFile) -> Result<Client> {
    with_tuning(cx, file, Tuning::default())
}

/// As [`of_app`], with other patience.
///
/// # Errors
/// As [`of_app`].
pub fn with_tuning(cx: &Cx, file: &ConfigFile, tuning: Tuning) -> Result<Client> {
    let app = file.need_app()?;
    let config = Config {
        api_url: cx.settings.github_url(Some(file))?.value,
        credentials: credentials(app),
        clock: cx.clock.clone(),
    };
    Client::with_tuning(config, tuning).map_err(|error| {
        let path = file.deployment.path.display();
        Error::from(error).context(format!("{path}: github_app.private_key cannot be used")).hint(file.edit())
    })
}

/// Who the App is: its client id where it is known, which GitHub recommends, else its id.
pub fn credentials(app: &GithubApp) -> AppCredentials {
    AppCredentials {
        issuer: app.client_id.clone().unwrap_or_else(|| app.id.to_string()),
        private_key: app.private_key.clone(),
    }
}
