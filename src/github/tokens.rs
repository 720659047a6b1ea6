//! Installations and their tokens: found, minted, kept.
//!
//! Source: <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::auth::{Auth, Scope, Target};
use super::call::{Call, segment};
use super::client::{Client, full_name};
use super::error::Error;
use super::flight::Flights;
use crate::util::Secret;

/// A token is not used in its last minutes, so that a call begun with it can end.
const SPARE: TimeDelta = TimeDelta::minutes(5);

/// A repository may move to an account with another installation.
const FOUND_FOR: Duration = Duration::from_secs(3600);

/// A token that speaks as an installation. Its text is opaque: GitHub has several formats.
#[derive(Clone, Debug)]
pub struct InstallationToken {
    /// The token.
    pub token: Secret,
    /// The installation it speaks as.
    pub installation: i64,
    /// When GitHub stops taking it.
    pub expires_at: DateTime<Utc>,
    /// What it may do: permission to access level.
    pub permissions: BTreeMap<String, String>,
    /// When we got it, to know a fresh one.
    pub(super) minted: Instant,
}

/// What is known about installations and their tokens.
#[derive(Default)]
pub(super) struct Tokens {
    tokens: Flights<(i64, Scope), InstallationToken>,
    installations: Flights<Target, Found>,
    /// Installations that payloads named and GitHub does not know any more. Ids never come back.
    removed: Mutex<BTreeSet<i64>>,
}

impl Tokens {
    fn removed(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct MintBody<'a> {
    #[serde(skip_serializing_if = "is_empty_set")]
    repositories: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    permissions: &'a BTreeMap<String, String>,
}

fn is_empty_set(set: &&BTreeSet<String>) -> bool {
    set.is_empty()
}

#[derive(Deserialize)]
struct Minted {
    token: Secret,
    expires_at: DateTime<Utc>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
}

/// Which installation a repository or organisation has, and when GitHub said so.
#[derive(Clone, Copy)]
struct Found {
    id: i64,
    at: Instant,
}

#[derive(Deserialize)]
struct FoundBody {
    id: i64,
}

impl Client {
    /// A token for the installation `of`, limited to `scope`: from the cache unless it expires
    /// within five minutes. However many ask at once, GitHub is asked once.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] when there is no such installation; else see [`Error`].
    pub async fn installation_token(&self, of: &Target, scope: &Scope) -> Result<InstallationToken, Error> {
        let (target, given) = match of {
            Target::Id(id) => return self.token_of(*id, scope).await.map_err(|error| gone(error, of)),
            Target::Repository { full_name, installation } => {
                (Target::Repository { full_name: full_name.clone(), installation: None }, *installation)
            }
            Target::Organization(_) | Target::User(_) => (of.clone(), None),
        };
        // An id from an old payload or from the cache may be of an installation that was
        // removed and made anew: ask GitHub once more before giving up.
        if let Some(id) = given.filter(|id| !self.tokens().removed().contains(id)) {
            match self.token_of(id, scope).await {
                Err(error) if is_not_found(&error) => {
                    self.tokens().removed().insert(id);
                }
                outcome => return outcome,
            }
        }
        let id = self.installation_of(&target).await?;
        match self.token_of(id, scope).await {
            Err(error) if is_not_found(&error) => {
                self.tokens().installations.forget(&target, |known| known.id == id).await;
                let id = self.installation_of(&target).await?;
                self.token_of(id, scope).await.map_err(|error| gone(error, of))
            }
            outcome => outcome,
        }
    }

    /// `DELETE /installation/token`: GitHub does not take `token` any more. `false` when it did not
    /// take it before either. One that is `fresh` may not be known to all of GitHub yet, so that a
    /// refusal is believed only after a while.
    ///
    /// # Errors
    /// See [`Error`]; the token may then still be good.
    pub async fn revoke_token(&self, token: &Secret, fresh: bool) -> Result<bool, Error> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| Error::Invalid("this is no token".into()))?;
        bearer.set_sensitive(true);
        let call = Call::new(Method::DELETE, "/installation/token", Auth::Anonymous)
            .header(AUTHORIZATION, bearer)
            .confidential();
        let patience = if fresh { self.fresh_token() } else { Duration::ZERO };
        let begun = Instant::now();
        loop {
            match self.send(&call).await {
                Ok(_) => return Ok(true),
                Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED.as_u16()) => {
                    if begun.elapsed() >= patience {
                        return Ok(false);
                    }
                    sleep(patience.min(Duration::from_millis(500))).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Drops `token` from the cache, as GitHub does not take it any more.
    pub(super) async fn forget_token(&self, token: &InstallationToken, scope: &Scope) {
        let key = (token.installation, scope.clone());
        self.tokens().tokens.forget(&key, |kept| kept.minted == token.minted).await;
    }

    async fn token_of(&self, id: i64, scope: &Scope) -> Result<InstallationToken, Error> {
        let signer = self.signer()?;
        let good = |token: &InstallationToken| signer.github_time() < token.expires_at - SPARE;
        self.tokens().tokens.get(&(id, scope.clone()), good, self.mint(id, scope)).await
    }

    async fn mint(&self, id: i64, scope: &Scope) -> Result<InstallationToken, Error> {
        let body = MintBody { repositories: &scope.repositories, permissions: &scope.permissions };
        // A second token for one call does no harm, so this POST may be repeated.
        let call = Call::new(Method::POST, format!("/app/installations/{id}/access_tokens"), Auth::Jwt)
            .json(&body)?
            .repeatable(true)
            .confidential();
        let answer = self.send_as_app(&call).await?;
        let Minted { token, expires_at, permissions } = answer.json(&call)?;
        Ok(InstallationToken { token, installation: id, expires_at, permissions, minted: Instant::now() })
    }

    /// The id of the installation that `target` names; remembered.
    async fn installation_of(&self, target: &Target) -> Result<i64, Error> {
        let find = async {
            let path = match target {
                Target::Id(id) => return Ok(Found { id: *id, at: Instant::now() }),
                Target::Repository { full_name: name, .. } => format!("/repos/{}/installation", full_name(name)?),
                Target::Organization(name) => format!("/orgs/{}/installation", segment(name)?),
                Target::User(name) => format!("/users/{}/installation", segment(name)?),
            };
            let call = Call::get(path, Auth::Jwt);
            let answer = self.send_as_app(&call).await.map_err(|error| gone(error, target))?;
            let FoundBody { id } = answer.json(&call)?;
            Ok(Found { id, at: Instant::now() })
        };
        let good = |found: &Found| found.at.elapsed() < FOUND_FOR;
        self.tokens().installations.get(target, good, find).await.map(|found| found.id)
    }
}

fn is_not_found(error: &Error) -> bool {
    error.status() == Some(StatusCode::NOT_FOUND.as_u16())
}

/// A 404 where an installation is asked for means that there is none.
fn gone(error: Error, target: &Target) -> Error {
    if is_not_found(&error) { Error::NotInstalled(target.to_string()) } else { error }
}
