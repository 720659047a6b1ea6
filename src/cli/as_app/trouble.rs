//! What a refusal means: which of the App's settings, the installation's approval and the choice
//! of repositories is in the way, and the page that mends it.

use crate::cli::error::{Error, Kind};
use crate::github::api::apps::{App, Installation};
use crate::github::auth::target_of;
use crate::github::rights::{self, Permissions, Standing};
use crate::github::{self, Auth, Client, StatusError, Target};

/// What is known about the App where the call went.
struct Known {
    app: App,
    installation: Installation,
}

/// The error of a call to `path` that was spoken as `auth`, with what GitHub says about the App's
/// rights there. Asking for those is best effort: it never hides the error itself.
pub async fn explained(client: &Client, auth: &Auth, path: &str, error: github::Error) -> Error {
    match (&error, auth) {
        (github::Error::NotInstalled(place), _) => {
            // What is public can be read without the App.
            let told = not_installed(client, place).await;
            if path.starts_with("/repos/") {
                told.hint(format!("pforge gh-as-app --as anonymous {path}"))
            } else {
                told
            }
        }
        (github::Error::Status(status), Auth::Installation { of, .. }) if matters(status) => {
            let told = headline(status, &error);
            let place = target_of(path).unwrap_or_else(|| of.clone());
            match diagnose(client, of, &place, status).await {
                Some((because, page)) => page.into_iter().fold(told.because(because), Error::hint),
                None => generic(told, status),
            }
        }
        (github::Error::Status(status), _) => generic(headline(status, &error), status),
        _ => error.into(),
    }
}

/// The error for an App that is not installed on `place`, with the page that installs it.
pub async fn not_installed(client: &Client, place: &str) -> Error {
    let told = Error::new(Kind::Auth, format!("the App is not installed on {place}"));
    let Ok(app) = client.app().await else { return told };
    let owner = place.split_once('/').map_or(place, |(owner, _)| owner);
    let all = client.installations().await.unwrap_or_default();
    let there =
        all.iter().find(|one| one.account.as_ref().is_some_and(|account| account.login.eq_ignore_ascii_case(owner)));
    match there {
        Some(there) if place.contains('/') => told
            .because(match there.repository_selection.as_deref() {
                Some("all") => format!("it is installed on all repositories of {owner}: there is no {place}"),
                _ => format!("it is installed on {owner}, with selected repositories: {place} is not one of them"),
            })
            .hint(format!("open {}", rights::installation_page(client.api_url(), there))),
        _ => told.hint(format!("open {}", rights::install_page(client.api_url(), &app))),
    }
}

/// Whether the App's rights can be the reason.
fn matters(status: &StatusError) -> bool {
    status.retry_after.is_none() && matches!(status.status, 403 | 404)
}

/// `Not Found (HTTP 404)`, and what was asked.
fn headline(status: &StatusError, error: &github::Error) -> Error {
    let kind = Error::from(error.clone()).kind;
    let told = Error::new(kind, format!("{} (HTTP {})", status.message, status.status));
    let told = status.errors.iter().fold(told, Error::because);
    told.because(format!("{} {}", status.method, status.path))
}

fn generic(told: Error, status: &StatusError) -> Error {
    let told = status.explanation.iter().fold(told, Error::because);
    status
        .documentation_url
        .iter()
        .filter(|_| status.status == 422)
        .fold(told, |told, page| told.hint(format!("open {page}")))
}

/// Why, and what to open.
async fn diagnose(
    client: &Client,
    of: &Target,
    place: &Target,
    status: &StatusError,
) -> Option<(String, Option<String>)> {
    let api = client.api_url();
    let open = |page: String| Some(format!("open {page}"));
    if let Target::Repository { full_name, .. } = place
        && client.installation_at(place).await.ok()?.is_none()
    {
        let told = not_installed(client, full_name).await;
        return Some((told.causes.first().unwrap_or(&told.message).clone(), told.tries.first().cloned()));
    }
    let known = Known { app: client.app().await.ok()?, installation: client.installation_at(of).await.ok()?? };
    if known.installation.suspended_at.is_some() {
        let whose = account(&known.installation);
        let why = format!("the App's installation on {whose} is suspended: {whose} can unsuspend it");
        return Some((why, open(rights::installation_page(api, &known.installation))));
    }
    let wanted = rights::alternatives(status.accepted_permissions.as_deref().unwrap_or_default());
    // The alternative that is nearest to be had.
    let nearest = wanted.iter().min_by_key(|set| known.worst(set))?;
    let whose = account(&known.installation);
    let lacking = known.lacking(nearest);
    let also = if wanted.len() > 1 {
        let others: Vec<String> = wanted.iter().filter(|set| *set != nearest).map(rights::shown).collect();
        format!(" (or {})", others.join(", or "))
    } else {
        String::new()
    };
    let needs = format!("this needs {}{also}", rights::shown(nearest));
    Some(match known.worst(nearest) {
        Standing::NotRequested => (
            format!(
                "{needs}, and the App does not ask for {}: add it, then {whose} approves it",
                rights::shown(&lacking)
            ),
            open(rights::settings_page(api, &known.app)),
        ),
        Standing::NotApproved => (
            format!("{needs}: the App asks for it, and {whose} has not approved it yet"),
            open(rights::approval_page(api, &known.installation)),
        ),
        Standing::Granted if status.status == 404 => {
            (format!("{needs}, which the installation on {whose} has: what is asked for does not exist"), None)
        }
        Standing::Granted => (
            format!(
                "{needs}, which the installation on {whose} has: the token may be limited, or the rules of {whose} forbid it"
            ),
            None,
        ),
    })
}

fn account(installation: &Installation) -> &str {
    installation.account.as_ref().map_or("the owner", |account| &account.login)
}

impl Known {
    /// The worst standing of any permission in `set`.
    fn worst(&self, set: &Permissions) -> Standing {
        set.iter().map(|(name, level)| self.standing(name, level)).max().unwrap_or(Standing::Granted)
    }

    /// Those of `set` whose standing is the worst.
    fn lacking(&self, set: &Permissions) -> Permissions {
        let worst = self.worst(set);
        set.iter()
            .filter(|(name, level)| self.standing(name, level) == worst)
            .map(|(name, level)| (name.clone(), level.clone()))
            .collect()
    }

    fn standing(&self, name: &str, level: &str) -> Standing {
        rights::standing(name, level, &self.app.permissions, &self.installation.permissions)
    }
}
