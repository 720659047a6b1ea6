//! What the owner of an App changes after it was made, and what accounts have yet to approve.

use chrono::{DateTime, Utc};

use crate::emulator::keys::AppKey;
use crate::emulator::state::permissions::{Permissions, needed_for_event};
use crate::emulator::state::{App, Installation, Refusal, What, World};
use crate::util::Secret;

/// Somebody who may not install an App asks the owners of an account to do it.
#[derive(Clone, Debug)]
pub struct InstallationRequest {
    /// Its id.
    pub id: i64,
    /// The App.
    pub app: i64,
    /// The account that it shall be installed on.
    pub account: i64,
    /// Who asks.
    pub requester: i64,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// What an owner changes of an App; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct AppEdit {
    /// All that it may do from now on.
    pub permissions: Option<Permissions>,
    /// All that it is told from now on.
    pub events: Option<Vec<String>>,
    /// Whether it is told at all.
    pub hook_active: Option<bool>,
    /// Where; empty for nowhere.
    pub hook_url: Option<String>,
}

impl World {
    /// Changes an App. Permissions that it gives up end at once everywhere; those that it gains, with its events, wait
    /// in each installation for [`World::approve`]. Without any gain the events change at once.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] for an event without its permission.
    pub fn edit_app(&mut self, id: i64, edit: AppEdit) -> Result<(), Refusal> {
        let now = self.now();
        let app = self.apps.get_mut(&id).ok_or(Refusal::NotFound)?;
        let permissions = edit.permissions.unwrap_or_else(|| app.permissions.clone());
        let events = edit.events.unwrap_or_else(|| app.events.clone());
        let needs = |event: &&String| {
            let any = needed_for_event(event);
            !any.is_some_and(|any| {
                any.is_empty() || any.iter().any(|p| *p == "metadata" || permissions.contains_key(*p))
            })
        };
        if let Some(event) = events.iter().find(needs) {
            return Err(Refusal::Invalid(format!("Default events unsupported: {event}")));
        }
        app.permissions = permissions;
        app.events = events;
        app.hook.active = edit.hook_active.unwrap_or(app.hook.active);
        if let Some(url) = edit.hook_url {
            app.hook.url = (!url.is_empty()).then_some(url);
        }
        app.updated_at = now;
        let app = app.clone();
        for installation in self.installations.values_mut().filter(|i| i.app == id) {
            cap(&mut installation.permissions, &app.permissions);
            if !lacks(&installation.permissions, &app.permissions) {
                installation.events.clone_from(&app.events);
            }
        }
        for token in self.tokens.values_mut() {
            if self.installations.get(&token.installation).is_some_and(|i| i.app == id) {
                cap(&mut token.permissions, &app.permissions);
            }
        }
        Ok(())
    }

    /// Whether an installation has yet to approve what its App asks for now.
    pub fn is_outdated(&self, installation: &Installation) -> bool {
        self.apps.get(&installation.app).is_some_and(|app| lacks(&installation.permissions, &app.permissions))
    }

    /// The account approves what the App asks for now.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] when there is nothing to approve.
    pub fn approve(&mut self, id: i64, actor: i64) -> Result<(), Refusal> {
        let now = self.now();
        let waits = self.installations.get(&id).ok_or(Refusal::NotFound)?;
        if !self.is_outdated(waits) {
            return Err(Refusal::Invalid("there is nothing to approve".to_owned()));
        }
        let App { permissions, events, .. } = self.apps.get(&waits.app).ok_or(Refusal::NotFound)?.clone();
        let installation = self.installations.get_mut(&id).ok_or(Refusal::NotFound)?;
        installation.permissions = permissions;
        installation.events = events;
        installation.updated_at = now;
        self.happened(actor, What::Installation { installation: id, action: "new_permissions_accepted" });
        Ok(())
    }

    /// Makes another key for an App and gives its private half.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] when no key can be made.
    pub fn add_key(&mut self, id: i64) -> Result<Secret, Refusal> {
        let AppKey { pem, public } = self.keys.take().map_err(|e| Refusal::Invalid(e.to_string()))?;
        self.apps.get_mut(&id).ok_or(Refusal::NotFound)?.keys.push(public);
        Ok(pem)
    }

    /// Revokes all keys of an App.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn revoke_keys(&mut self, id: i64) -> Result<(), Refusal> {
        self.apps.get_mut(&id).ok_or(Refusal::NotFound)?.keys.clear();
        Ok(())
    }

    /// Asks the owners of `account` to install an App; a second request of the same person changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the App or account, [`Refusal::Exists`] when it is installed already.
    pub fn request_installation(&mut self, app: i64, account: i64, requester: i64) -> Result<i64, Refusal> {
        if !self.apps.contains_key(&app) || !self.accounts.contains_key(&account) {
            return Err(Refusal::NotFound);
        }
        if self.installations.values().any(|i| i.app == app && i.account == account) {
            return Err(Refusal::Exists("installation".to_owned()));
        }
        let same = |r: &&InstallationRequest| (r.app, r.account, r.requester) == (app, account, requester);
        if let Some(request) = self.requests.iter().find(same) {
            return Ok(request.id);
        }
        let (id, created_at) = (self.id(), self.now());
        self.requests.push(InstallationRequest { id, app, account, requester, created_at });
        Ok(id)
    }
}

/// Takes from `have` what `allowed` does not grant.
fn cap(have: &mut Permissions, allowed: &Permissions) {
    have.retain(|name, _| allowed.contains_key(name));
    for (name, level) in have.iter_mut() {
        *level = allowed.get(name).map_or(*level, |most| (*level).min(*most));
    }
}

/// Whether `have` grants less than `wanted`.
fn lacks(have: &Permissions, wanted: &Permissions) -> bool {
    wanted.iter().any(|(name, level)| have.get(name).is_none_or(|have| have < level))
}

#[cfg(test)]
mod tests {
    use super::{cap, lacks};
    use crate::emulator::state::{Level, Permissions};

    #[test]
    fn giving_up_takes_away_and_gaining_gives_nothing() {
        let permissions = |list: &[(&str, Level)]| -> Permissions {
            list.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect()
        };
        let mut have = permissions(&[("checks", Level::Write), ("issues", Level::Write), ("pages", Level::Read)]);
        let wanted = permissions(&[("checks", Level::Read), ("issues", Level::Write), ("contents", Level::Read)]);
        cap(&mut have, &wanted);
        assert_eq!(have, permissions(&[("checks", Level::Read), ("issues", Level::Write)]));
        assert!(lacks(&have, &wanted));
        assert!(!lacks(&wanted, &have));
        assert!(lacks(&permissions(&[("checks", Level::Read)]), &permissions(&[("checks", Level::Write)])));
    }
}
