//! How the model looks on the wire: GitHub's JSON, with `url` fields that lead back to this server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::emulator::state::{Account, App, Installation, Kind, Permissions, World};

pub mod checks;
pub mod deployments;
pub mod git;
pub mod issues;
pub mod objects;
pub mod pulls;
pub mod repos;

/// Where this GitHub is, as the caller sees it; neither ends with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Root of the REST API.
    pub api: String,
    /// Root of the pages for people.
    pub html: String,
}

/// A view of the model for one caller.
#[derive(Clone, Copy)]
pub struct Wire<'a> {
    /// What exists.
    pub world: &'a World,
    /// Where links lead.
    pub links: &'a Links,
}

/// A time in GitHub's form: seconds, no fraction, `Z`.
pub fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A global id in GitHub's older form, which is unique and opaque.
pub fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    STANDARD.encode(format!("{:03}:{kind}{id}", kind.len()))
}

/// `base` with further `entries`.
pub fn with(mut base: Value, entries: Value) -> Value {
    if let (Some(base), Value::Object(entries)) = (base.as_object_mut(), entries) {
        base.extend(entries);
    }
    base
}

impl Wire<'_> {
    /// An account by id; `null` for an unknown one.
    pub fn user(&self, id: i64) -> Value {
        self.world.accounts.get(&id).map_or(Value::Null, |account| self.account(account))
    }

    /// A person, organisation or bot in its short form.
    pub fn account(&self, account: &Account) -> Value {
        let login = account.login.as_str();
        let (api, html) = (&self.links.api, &self.links.html);
        // Brackets of a bot's login are escaped in URLs.
        let escaped = login.replace('[', "%5B").replace(']', "%5D");
        let url = format!("{api}/users/{escaped}");
        let page = match account.kind {
            Kind::Bot => format!("{html}/apps/{}", login.trim_end_matches("[bot]")),
            Kind::User | Kind::Organization => format!("{html}/{login}"),
        };
        let kind = if account.kind == Kind::Bot { "Bot" } else { account.kind.name() };
        json!({
            "login": login,
            "id": account.id,
            "node_id": node_id(kind, account.id),
            "avatar_url": format!("{html}/avatars/u/{}?v=4", account.id),
            "gravatar_id": "",
            "url": url,
            "html_url": page,
            "followers_url": format!("{url}/followers"),
            "following_url": format!("{url}/following{{/other_user}}"),
            "gists_url": format!("{url}/gists{{/gist_id}}"),
            "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{url}/subscriptions"),
            "organizations_url": format!("{url}/orgs"),
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events{{/privacy}}"),
            "received_events_url": format!("{url}/received_events"),
            "type": kind,
            "site_admin": false,
        })
    }

    /// A person or organisation in its long form.
    pub fn public_user(&self, account: &Account) -> Value {
        let owned = self.world.repos.values().filter(|r| r.owner == account.id && !r.private).count();
        with(
            self.account(account),
            json!({
                "name": null, "company": null, "blog": "", "location": null, "email": null, "hireable": null,
                "bio": null, "twitter_username": null, "public_repos": owned, "public_gists": 0, "followers": 0,
                "following": 0, "created_at": time(account.created_at), "updated_at": time(account.created_at),
            }),
        )
    }

    /// An organisation as payloads name it.
    pub fn organization(&self, account: &Account) -> Value {
        let (api, login) = (&self.links.api, &account.login);
        let url = format!("{api}/orgs/{login}");
        json!({
            "login": login,
            "id": account.id,
            "node_id": node_id("Organization", account.id),
            "url": url,
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events"),
            "hooks_url": format!("{url}/hooks"),
            "issues_url": format!("{url}/issues"),
            "members_url": format!("{url}/members{{/member}}"),
            "public_members_url": format!("{url}/public_members{{/member}}"),
            "avatar_url": format!("{}/avatars/u/{}?v=4", self.links.html, account.id),
            "description": "",
        })
    }

    /// An App without its secrets.
    pub fn app(&self, app: &App) -> Value {
        json!({
            "id": app.id,
            "client_id": app.client_id,
            "slug": app.slug,
            "node_id": node_id("Integration", app.id),
            "owner": self.user(app.owner),
            "name": app.name,
            "description": app.description.clone().unwrap_or_default(),
            "external_url": app.external_url,
            "html_url": format!("{}/apps/{}", self.links.html, app.slug),
            "created_at": time(app.created_at),
            "updated_at": time(app.updated_at),
            "permissions": permissions(&app.permissions),
            "events": app.events,
        })
    }

    /// The App itself as `GET /app` answers it.
    pub fn own_app(&self, app: &App) -> Value {
        let count = self.world.installations.values().filter(|i| i.app == app.id).count();
        with(self.app(app), json!({ "installations_count": count }))
    }

    /// An installation.
    pub fn installation(&self, installation: &Installation) -> Value {
        let (api, html) = (&self.links.api, &self.links.html);
        let id = installation.id;
        let account = self.world.accounts.get(&installation.account);
        let page = match account {
            Some(a) if a.kind == Kind::Organization => {
                format!("{html}/organizations/{}/settings/installations/{id}", a.login)
            }
            _ => format!("{html}/settings/installations/{id}"),
        };
        let app = self.world.apps.get(&installation.app);
        let (suspended_at, suspended_by) = match installation.suspended {
            Some((at, by)) => (json!(time(at)), self.user(by)),
            None => (Value::Null, Value::Null),
        };
        json!({
            "id": id,
            "client_id": app.map(|a| a.client_id.clone()),
            "account": account.map(|a| self.account(a)),
            "repository_selection": selection(installation),
            "access_tokens_url": format!("{api}/app/installations/{id}/access_tokens"),
            "repositories_url": format!("{api}/installation/repositories"),
            "html_url": page,
            "app_id": installation.app,
            "app_slug": app.map(|a| a.slug.clone()),
            "target_id": installation.account,
            "target_type": account.map_or("User", |a| a.kind.name()),
            "permissions": permissions(&installation.permissions),
            "events": installation.events,
            "created_at": time(installation.created_at),
            "updated_at": time(installation.updated_at),
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": suspended_by,
            "suspended_at": suspended_at,
        })
    }
}

/// `all` or `selected`.
pub fn selection(installation: &Installation) -> &'static str {
    match installation.selection {
        crate::emulator::state::Selection::All => "all",
        crate::emulator::state::Selection::Only(_) => "selected",
    }
}

/// Permissions as an object; every App may read metadata.
pub fn permissions(permissions: &Permissions) -> Value {
    let mut object: Map<String, Value> =
        permissions.iter().map(|(name, level)| (name.clone(), json!(level.name()))).collect();
    if !object.is_empty() && !object.contains_key("metadata") {
        object.insert("metadata".to_owned(), json!("read"));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    #[test]
    fn times_have_no_fraction() {
        let at = Utc.with_ymd_and_hms(2026, 11, 21, 10, 5, 0).single().expect("a time");
        assert_eq!(super::time(at + chrono::TimeDelta::milliseconds(250)), "2026-11-21T10:05:00Z");
    }
}
