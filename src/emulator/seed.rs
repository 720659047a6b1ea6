//! The world at the start, as data: a YAML or JSON document, or built in code.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::TimeDelta;
use serde::Deserialize;

use crate::emulator::keys::{AppKey, KeyError};
use crate::emulator::state::apps::NewApp;
use crate::emulator::state::repos::NewRepo;
use crate::emulator::state::{Kind, Permissions, Refusal, Selection, World};
use crate::util::Secret;

/// What exists at the start.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// People; the first one sits at the browser.
    pub users: Vec<SeedUser>,
    /// Organisations, by login.
    pub orgs: Vec<String>,
    /// Repositories.
    pub repos: Vec<SeedRepo>,
    /// Apps.
    pub apps: Vec<SeedApp>,
    /// Give out tokens in the long `ghs_APPID_JWT` form.
    pub long_tokens: bool,
    /// Calls that a client may make per hour; 5000 unless told.
    pub rate_limit: Option<u64>,
    /// How many days Apps see their deliveries; 3 when `None`.
    pub delivery_days: Option<u16>,
}

/// A person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedUser {
    /// Login.
    pub login: String,
    /// Personal access token.
    pub token: Option<Secret>,
}

/// A repository.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedRepo {
    /// `owner/name`.
    pub name: String,
    /// Whether only members and Apps see it.
    pub private: bool,
    /// Its default branch; `main` when empty.
    pub default_branch: String,
    /// One line about it.
    pub description: Option<String>,
    /// Whether others may begin with its files.
    pub template: bool,
    /// Files of the first commit, as text by path.
    pub files: BTreeMap<String, String>,
}

/// An App.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedApp {
    /// Its id; a new one when `None`.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// Login of its owner; the person at the browser when `None`.
    pub owner: Option<String>,
    /// Its key as PEM; without it no JWT of the App is accepted.
    pub private_key: Option<Secret>,
    /// Hook address.
    pub webhook_url: Option<String>,
    /// Hook secret.
    pub webhook_secret: Option<Secret>,
    /// What it may do.
    pub permissions: Permissions,
    /// What it is told.
    pub events: Vec<String>,
    /// Where it is installed.
    pub installations: Vec<SeedInstallation>,
}

/// An installation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedInstallation {
    /// Login of the account.
    pub account: String,
    /// Names of repositories (without the owner); all when `None`.
    pub repositories: Option<Vec<String>>,
}

/// Why a seed cannot be planted.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The document has another shape.
    #[error("not a seed: {0}")]
    Shape(#[from] serde_yaml::Error),
    /// It contradicts itself.
    #[error("{what}: {reason}")]
    Contradiction {
        /// What could not be made.
        what: String,
        /// Why.
        reason: Refusal,
    },
    /// The key of an App is none.
    #[error("App {0}: {1}")]
    Key(String, KeyError),
}

impl Seed {
    /// Reads a YAML or JSON document.
    ///
    /// # Errors
    /// [`SeedError::Shape`].
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        Ok(serde_yaml::from_str(text)?)
    }

    /// A small world: `developer` at the browser, `pangeo-forge` with an empty-handed staged-recipes repository, and
    /// `contributor`, who owns nothing yet.
    pub fn demo() -> Self {
        let readme = "# staged-recipes\n\nOpen a pull request with your recipe.\n";
        Self {
            users: ["developer", "contributor"].map(|login| SeedUser { login: login.to_owned(), token: None }).into(),
            orgs: vec!["pangeo-forge".to_owned()],
            repos: vec![SeedRepo {
                name: "pangeo-forge/staged-recipes".to_owned(),
                files: BTreeMap::from([("README.md".to_owned(), readme.to_owned())]),
                ..SeedRepo::default()
            }],
            ..Self::default()
        }
    }

    /// Makes everything in `world`; what exists from the start is told to nobody.
    ///
    /// # Errors
    /// See [`SeedError`].
    pub fn plant(self, world: &mut World) -> Result<(), SeedError> {
        let contradiction = |what: String| move |reason| SeedError::Contradiction { what, reason };
        for (index, user) in self.users.into_iter().enumerate() {
            let id = world.ensure_account(&user.login, Kind::User);
            if let Some(account) = world.accounts.get_mut(&id) {
                account.token = user.token;
            }
            if index == 0 {
                world.viewer = id;
            }
        }
        for org in self.orgs {
            world.create_account(&org, Kind::Organization).map_err(contradiction(format!("organisation {org}")))?;
        }
        for repo in self.repos {
            let what = format!("repository {}", repo.name);
            let (owner, name) = repo.name.split_once('/').unwrap_or(("", &repo.name));
            let owner =
                world.account(owner).map(|a| a.id).ok_or(Refusal::NotFound).map_err(contradiction(what.clone()))?;
            let new = NewRepo {
                name: name.to_owned(),
                private: repo.private,
                default_branch: repo.default_branch,
                description: repo.description,
                template: repo.template,
                files: repo.files.into_iter().map(|(path, text)| (path, Some(Bytes::from(text)))).collect(),
                ..NewRepo::default()
            };
            world.create_repo(owner, new, owner).map_err(contradiction(what))?;
        }
        for app in self.apps {
            app.plant(world)?;
        }
        world.long_tokens = self.long_tokens;
        world.retention = self.delivery_days.map_or(world.retention, |days| TimeDelta::days(days.into()));
        world.rate_limit = self.rate_limit.unwrap_or(world.rate_limit);
        world.changes.clear();
        Ok(())
    }
}

impl SeedApp {
    /// Makes the App and its installations; gives its id.
    ///
    /// # Errors
    /// See [`SeedError`].
    pub fn plant(self, world: &mut World) -> Result<i64, SeedError> {
        let what = format!("App {}", self.name);
        let contradiction = |reason| SeedError::Contradiction { what: what.clone(), reason };
        let owner = match &self.owner {
            None => world.viewer,
            Some(login) => world.account(login).map(|a| a.id).ok_or(Refusal::NotFound).map_err(contradiction)?,
        };
        let new = NewApp {
            id: self.id,
            url: "https://example.com".to_owned(),
            public: true,
            hook_active: self.webhook_url.is_some(),
            hook_url: self.webhook_url,
            secret: self.webhook_secret,
            permissions: self.permissions,
            events: self.events,
            name: self.name.clone(),
            description: None,
            setup_url: None,
        };
        let id = world.create_app(owner, new).map_err(contradiction)?;
        if let Some(pem) = self.private_key {
            let key = AppKey::from_pem(pem.expose()).map_err(|e| SeedError::Key(self.name.clone(), e))?;
            if let Some(app) = world.apps.get_mut(&id) {
                app.keys.push(key.public);
            }
        }
        for installation in self.installations {
            let account = world.account(&installation.account).map(|a| a.id).ok_or(Refusal::NotFound);
            let account = account.map_err(contradiction)?;
            let selection = match installation.repositories {
                None => Selection::All,
                Some(names) => {
                    let ids = names.iter().map(|n| world.repo(&installation.account, n).map(|r| r.id));
                    Selection::Only(ids.collect::<Option<_>>().ok_or(Refusal::NotFound).map_err(contradiction)?)
                }
            };
            world.install(id, account, selection, account).map_err(contradiction)?;
        }
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;
    use crate::emulator::state::World;
    use crate::util::Clock;

    #[test]
    fn a_document_becomes_a_world() {
        let seed = Seed::parse(
            "users: [{login: ada, token: ghp_ada}]\norgs: [acme]\nrepos: [{name: acme/site, files: {a.txt: hello}}]\n\
             apps: [{id: 7, name: Bot, permissions: {checks: write}, events: [check_run], installations: [{account: acme}]}]",
        )
        .expect("a seed");
        let mut world = World::new(Clock::system());
        seed.plant(&mut world).expect("planted");
        assert_eq!(world.login(world.viewer), "ada");
        let repo = world.repo("ACME", "Site").expect("repository").id;
        assert_eq!(world.installations_on(repo).map(|i| i.app).collect::<Vec<_>>(), [7]);
        assert!(world.changes.is_empty());
    }

    #[test]
    fn contradictions_are_named() {
        let mut world = World::new(Clock::system());
        let seed = Seed::parse("repos: [{name: nobody/x}]").expect("a seed");
        assert_eq!(seed.plant(&mut world).expect_err("refused").to_string(), "repository nobody/x: not found");
        assert!(Seed::parse("users: 7").is_err());
    }
}
