//! Apps, their hooks, installations and tokens.

use chrono::{DateTime, TimeDelta, Utc};

use crate::emulator::keys::PublicKey;
use crate::emulator::state::permissions::{Level, Permissions};
use crate::emulator::state::{Kind, Refusal, Repo, What, World};
use crate::util::Secret;
use crate::util::id::random_hex;

/// How long an installation token lives.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(1);
/// How long a manifest code lives.
const CODE_LIFE: TimeDelta = TimeDelta::hours(1);

/// A GitHub App.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Account that owns it.
    pub owner: i64,
    /// Account that it acts as.
    pub bot: i64,
    /// OAuth client id, also accepted as `iss`.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: Secret,
    /// What it is for.
    pub description: Option<String>,
    /// Its home page.
    pub external_url: String,
    /// Where a person goes after installing it.
    pub setup_url: Option<String>,
    /// Whether other accounts may install it.
    pub public: bool,
    /// What it may do.
    pub permissions: Permissions,
    /// What it is told.
    pub events: Vec<String>,
    /// Keys that its JWTs may be signed with.
    pub keys: Vec<PublicKey>,
    /// Where it is told.
    pub hook: Hook,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// The webhook of an App.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Its id.
    pub id: i64,
    /// Whether deliveries are sent at all.
    pub active: bool,
    /// Where to; `None` when the App has no hook.
    pub url: Option<String>,
    /// `json` or `form`.
    pub content_type: String,
    /// What deliveries are signed with.
    pub secret: Option<Secret>,
    /// `"0"` or `"1"`.
    pub insecure_ssl: String,
}

/// An App to be made.
#[derive(Clone, Debug, Default)]
pub struct NewApp {
    /// Its id; a new one when `None`.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// Its home page.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where a person goes after installing it.
    pub setup_url: Option<String>,
    /// Whether other accounts may install it.
    pub public: bool,
    /// Hook address.
    pub hook_url: Option<String>,
    /// Whether the hook is on.
    pub hook_active: bool,
    /// Hook secret.
    pub secret: Option<Secret>,
    /// What it may do.
    pub permissions: Permissions,
    /// What it is told.
    pub events: Vec<String>,
}

/// A manifest code that waits for its conversion.
#[derive(Clone, Debug)]
pub struct ManifestCode {
    /// The App that was made.
    pub app: i64,
    /// When it stops being valid.
    pub expires_at: DateTime<Utc>,
}

/// Which repositories an installation reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of the account, also future ones.
    All,
    /// These, by id.
    Only(Vec<i64>),
}

/// An App on an account.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Its id.
    pub id: i64,
    /// The App.
    pub app: i64,
    /// The account.
    pub account: i64,
    /// Which repositories it reaches.
    pub selection: Selection,
    /// What it may do.
    pub permissions: Permissions,
    /// What it is told.
    pub events: Vec<String>,
    /// When and by whom it was suspended.
    pub suspended: Option<(DateTime<Utc>, i64)>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// An installation token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The installation.
    pub installation: i64,
    /// Only these repositories, by id.
    pub repositories: Option<Vec<i64>>,
    /// What it may do.
    pub permissions: Permissions,
    /// When it stops being valid.
    pub expires_at: DateTime<Utc>,
}

impl World {
    /// Makes an App that has no key yet.
    ///
    /// # Errors
    /// [`Refusal::Exists`] when the name is taken.
    pub fn create_app(&mut self, owner: i64, new: NewApp) -> Result<i64, Refusal> {
        let slug = slug(&new.name);
        let bot_login = format!("{slug}[bot]");
        if self.apps.values().any(|app| app.slug == slug) || self.account(&bot_login).is_some() {
            return Err(Refusal::Exists(new.name));
        }
        let id = new.id.unwrap_or_else(|| self.id());
        if self.apps.contains_key(&id) {
            return Err(Refusal::Exists(format!("App {id}")));
        }
        let bot = self.create_account(&bot_login, Kind::Bot)?;
        let random = |bytes| random_hex(bytes).map_err(|e| Refusal::Invalid(e.to_string()));
        let (now, has_hook) = (self.now(), new.hook_url.is_some());
        let hook = Hook {
            id: self.id(),
            active: has_hook && new.hook_active,
            // GitHub makes a secret for every hook; one that was brought along stays for a hook that comes later.
            secret: match new.secret {
                Some(secret) => Some(secret),
                None => has_hook.then(|| random(20)).transpose()?.map(Secret::new),
            },
            url: new.hook_url,
            content_type: "json".to_owned(),
            insecure_ssl: "0".to_owned(),
        };
        let app = App {
            id,
            slug,
            name: new.name,
            owner,
            bot,
            client_id: format!("Iv23li{}", random(7)?),
            client_secret: Secret::new(random(20)?),
            description: new.description,
            external_url: new.url,
            setup_url: new.setup_url,
            public: new.public,
            permissions: new.permissions,
            events: new.events,
            keys: Vec::new(),
            hook,
            created_at: now,
            updated_at: now,
        };
        let ping = app.hook.active;
        self.apps.insert(id, app);
        if ping {
            self.happened(owner, What::AppCreated { app: id });
        }
        Ok(id)
    }

    /// A code for the manifest conversion of `app`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the machine has no randomness.
    pub fn manifest_code(&mut self, app: i64) -> Result<String, Refusal> {
        let code = random_hex(20).map_err(|e| Refusal::Invalid(e.to_string()))?;
        self.codes.insert(code.clone(), ManifestCode { app, expires_at: self.now() + CODE_LIFE });
        Ok(code)
    }

    /// The App that `code` stands for; the code is used up.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when the code is unknown, used or older than an hour.
    pub fn use_manifest_code(&mut self, code: &str) -> Result<i64, Refusal> {
        let entry = self.codes.remove(code).ok_or(Refusal::NotFound)?;
        if entry.expires_at <= self.now() { Err(Refusal::NotFound) } else { Ok(entry.app) }
    }

    /// Id and keys of the App that a JWT's `iss` names by id or client id.
    pub fn app_by_issuer(&self, issuer: &str) -> Option<(i64, Vec<PublicKey>)> {
        let app = self.apps.values().find(|app| app.client_id == issuer || app.id.to_string() == issuer)?;
        Some((app.id, app.keys.clone()))
    }

    /// The App called `slug`.
    pub fn app_by_slug(&self, slug: &str) -> Option<&App> {
        self.apps.values().find(|app| app.slug == slug)
    }

    /// Installs an App; a second installation on the same account is refused.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the App or account, [`Refusal::Exists`] when it is installed already,
    /// [`Refusal::Invalid`] for somebody else's repository or private App.
    pub fn install(&mut self, app: i64, account: i64, selection: Selection, actor: i64) -> Result<i64, Refusal> {
        let model = self.apps.get(&app).ok_or(Refusal::NotFound)?.clone();
        self.accounts.get(&account).ok_or(Refusal::NotFound)?;
        if self.installations.values().any(|i| i.app == app && i.account == account) {
            return Err(Refusal::Exists("installation".to_owned()));
        }
        if let Selection::Only(repos) = &selection {
            let owned = |id: &i64| self.repos.get(id).is_some_and(|r| r.owner == account);
            if repos.is_empty() || !repos.iter().all(owned) {
                return Err(Refusal::Invalid("repositories must belong to the account".to_owned()));
            }
        }
        let (id, now) = (self.id(), self.now());
        let installation = Installation {
            id,
            app,
            account,
            selection,
            permissions: model.permissions,
            events: model.events,
            suspended: None,
            created_at: now,
            updated_at: now,
        };
        self.installations.insert(id, installation);
        self.requests.retain(|request| (request.app, request.account) != (app, account));
        self.happened(actor, What::Installation { installation: id, action: "created" });
        Ok(id)
    }

    /// Removes an installation with its tokens. The change is told while it still exists: see `events`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn uninstall(&mut self, id: i64, actor: i64) -> Result<(), Refusal> {
        self.installations.get(&id).ok_or(Refusal::NotFound)?;
        self.tokens.retain(|_, token| token.installation != id);
        self.happened(actor, What::Installation { installation: id, action: "deleted" });
        Ok(())
    }

    /// Suspends or wakes an installation.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn suspend(&mut self, id: i64, suspend: bool, actor: i64) -> Result<(), Refusal> {
        let now = self.now();
        let installation = self.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
        let changed = installation.suspended.is_some() != suspend;
        if changed {
            installation.suspended = suspend.then_some((now, actor));
            installation.updated_at = now;
            let action = if suspend { "suspend" } else { "unsuspend" };
            self.happened(actor, What::Installation { installation: id, action });
        }
        Ok(())
    }

    /// Adds and removes repositories of an installation.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] for an installation on all repositories.
    pub fn select(&mut self, id: i64, add: &[i64], remove: &[i64], actor: i64) -> Result<(), Refusal> {
        let now = self.now();
        let installation = self.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
        let Selection::Only(repos) = &mut installation.selection else {
            return Err(Refusal::Invalid("the installation is on all repositories".to_owned()));
        };
        let added: Vec<i64> = add.iter().copied().filter(|r| !repos.contains(r)).collect();
        let removed: Vec<i64> = remove.iter().copied().filter(|r| repos.contains(r)).collect();
        repos.extend(&added);
        repos.retain(|r| !removed.contains(r));
        installation.updated_at = now;
        for (added, removed) in [(added, Vec::new()), (Vec::new(), removed)] {
            if !(added.is_empty() && removed.is_empty()) {
                self.happened(actor, What::InstallationRepositories { installation: id, added, removed });
            }
        }
        Ok(())
    }

    /// Tells installations on all repositories of `owner` about a new one.
    pub(super) fn grant_new_repo(&mut self, repo: i64, owner: i64, actor: i64) {
        let all = self.installations.values().filter(|i| i.account == owner && i.selection == Selection::All);
        for installation in all.map(|i| i.id).collect::<Vec<_>>() {
            let what = What::InstallationRepositories { installation, added: vec![repo], removed: Vec::new() };
            self.happened(actor, what);
        }
    }

    /// Whether `installation` reaches `repo`.
    pub fn reaches(&self, installation: &Installation, repo: &Repo) -> bool {
        installation.account == repo.owner
            && match &installation.selection {
                Selection::All => true,
                Selection::Only(repos) => repos.contains(&repo.id),
            }
    }

    /// Installations that reach `repo`.
    pub fn installations_on(&self, repo: i64) -> impl Iterator<Item = &Installation> {
        let repo = self.repos.get(&repo);
        self.installations.values().filter(move |i| repo.is_some_and(|r| self.reaches(i, r)))
    }

    /// Makes an installation token.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the installation, [`Refusal::Invalid`] with GitHub's text when more is asked for
    /// than the installation has.
    pub fn issue_token(
        &mut self,
        installation: i64,
        repositories: Option<Vec<i64>>,
        permissions: Option<Permissions>,
    ) -> Result<(String, Token), Refusal> {
        let model = self.installations.get(&installation).ok_or(Refusal::NotFound)?;
        if let Some(wanted) = &repositories {
            let reached = |id: &i64| self.repos.get(id).is_some_and(|r| self.reaches(model, r));
            if !wanted.iter().all(reached) {
                return Err(Refusal::Invalid(
                    "There is at least one repository that does not exist or is not accessible to the parent installation."
                        .to_owned(),
                ));
            }
        }
        let permissions = match permissions {
            None => model.permissions.clone(),
            Some(wanted) => {
                let within = |(name, level): (&String, &Level)| {
                    model.permissions.get(name).is_some_and(|have| have >= level)
                        || (name == "metadata" && *level == Level::Read)
                };
                if !wanted.iter().all(within) {
                    return Err(Refusal::Invalid(
                        "The permissions requested are not granted to this installation.".to_owned(),
                    ));
                }
                wanted
            }
        };
        let random = |bytes| random_hex(bytes).map_err(|e| Refusal::Invalid(e.to_string()));
        let text = if self.long_tokens {
            format!("ghs_{}_{}.{}.{}", model.app, random(40)?, random(160)?, random(43)?)
        } else {
            format!("ghs_{}", random(18)?)
        };
        let token = Token { installation, repositories, permissions, expires_at: self.now() + TOKEN_LIFE };
        self.tokens.insert(text.clone(), token.clone());
        Ok((text, token))
    }

    /// Repositories that a token reaches.
    pub fn token_repos(&self, token: &Token) -> Vec<&Repo> {
        let Some(installation) = self.installations.get(&token.installation) else { return Vec::new() };
        let chosen = |r: &&Repo| token.repositories.as_ref().is_none_or(|only| only.contains(&r.id));
        self.repos.values().filter(|r| self.reaches(installation, r)).filter(chosen).collect()
    }
}

/// GitHub's slug of an App's name.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn slugs_are_lowercase_words() {
        for (name, slug) in [("My App", "my-app"), ("  pforge  (dev)!", "pforge-dev"), ("a__b", "a-b")] {
            assert_eq!(super::slug(name), slug);
        }
    }
}
