//! As whom a call is made: as the App, as one of its installations, or as nobody.

use crate::cli::error::{Error, Kind, Result};
use crate::github::api::apps::Installation;
use crate::github::auth::{Scheme, scheme, target_of};
use crate::github::{Auth, Client, Target};

/// As whom a call is made, when one insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum As {
    /// The App, by JWT.
    Jwt,
    /// One of its installations, by token.
    Installation,
    /// Nobody.
    Anonymous,
}

/// Which installation is meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct InstallationFlags {
    /// The installation that covers this repository [env: GH_REPO]
    #[arg(short = 'R', long, value_name = "OWNER/REPO")]
    pub repo: Option<String>,
    /// The installation with this id
    #[arg(long, value_name = "ID", conflicts_with = "repo")]
    pub installation: Option<i64>,
}

/// The authentication for `path`: what `insist` says, else what the endpoint takes. An
/// installation is the one that `named` says, else the one that the path speaks of, else the one
/// that `fallback` says, else the only one.
///
/// # Errors
/// When there is no installation, or several and nobody says which.
pub async fn choose(
    client: &Client,
    path: &str,
    insist: Option<As>,
    named: Option<Target>,
    fallback: Option<Target>,
) -> Result<Auth> {
    let scheme = match insist {
        Some(As::Jwt) => Scheme::Jwt,
        Some(As::Anonymous) => Scheme::Anonymous,
        Some(As::Installation) => Scheme::Installation,
        None => scheme(path),
    };
    match scheme {
        Scheme::Anonymous => Ok(Auth::Anonymous),
        Scheme::Jwt => Ok(Auth::Jwt),
        Scheme::Installation => {
            let target = match (named, target_of(path)) {
                (Some(named), _) => named,
                (None, Some(spoken @ Target::Repository { .. })) => spoken,
                // Anybody may ask about accounts that the App is not installed on.
                (None, Some(account)) => match client.installation_at(&account).await? {
                    Some(found) => Target::Id(found.id),
                    None => only(client, fallback).await?,
                },
                (None, None) => only(client, fallback).await?,
            };
            Ok(Auth::installation(target))
        }
    }
}

/// The installation that `named` says, else the only one, whole.
///
/// # Errors
/// When there is none, or several and nobody says which.
pub async fn installation(client: &Client, named: Option<Target>) -> Result<Installation> {
    let Some(named) = named else { return only_one(client.installations().await?, client).await };
    match client.installation_at(&named).await? {
        Some(found) => Ok(found),
        None => Err(super::trouble::not_installed(client, &named.to_string()).await),
    }
}

/// The installation that the flags name, or `GH_REPO`.
pub fn named(flags: &InstallationFlags, given: Option<&str>) -> Option<Target> {
    match (flags.installation, given) {
        (Some(id), _) => Some(Target::Id(id)),
        (None, Some(full_name)) => Some(Target::Repository { full_name: full_name.to_owned(), installation: None }),
        (None, None) => None,
    }
}

async fn only(client: &Client, fallback: Option<Target>) -> Result<Target> {
    match fallback {
        Some(target) => Ok(target),
        None => only_one(client.installations().await?, client).await.map(|found| Target::Id(found.id)),
    }
}

async fn only_one(mut all: Vec<Installation>, client: &Client) -> Result<Installation> {
    match all.len() {
        1 => Ok(all.remove(0)),
        0 => Err(super::trouble::not_installed(client, "any account").await),
        count => {
            let several = Error::new(Kind::Usage, format!("which of the App's {count} installations is meant?"));
            let told = all.iter().fold(several, |error, one| error.because(describe(one)));
            let first = all.iter().find(|one| one.suspended_at.is_none()).or_else(|| all.first());
            Err(told.hint(format!("--installation {}", first.map_or(0, |one| one.id))).hint("--repo OWNER/REPO"))
        }
    }
}

/// `installation 12 on octo-org (selected repositories)`.
pub fn describe(installation: &Installation) -> String {
    let account = installation.account.as_ref().map_or("an account", |account| &account.login);
    let mut text = format!("installation {} on {account}", installation.id);
    if installation.repository_selection.as_deref() == Some("selected") {
        text += " (selected repositories)";
    }
    if installation.suspended_at.is_some() {
        text += ", suspended";
    }
    text
}
