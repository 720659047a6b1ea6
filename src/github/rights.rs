//! What an App may do, in three places: what is wanted, what the App's settings ask for, and what
//! the owner of an installation has approved. Pure.

use std::collections::BTreeMap;

use url::Url;

use super::api::apps::{App, Installation};
use super::explain::web_url;

/// Permission to access level, such as `checks` to `write`.
pub type Permissions = BTreeMap<String, String>;

/// Where a wanted permission stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The installation has it.
    Granted,
    /// The App's settings ask for it, and the owner of the installation has not approved it yet.
    NotApproved,
    /// The App's settings do not ask for it.
    NotRequested,
}

/// Whether `have` contains `name` at `level` or a higher one. Every App may read metadata.
pub fn grants(have: &Permissions, name: &str, level: &str) -> bool {
    (name, level) == ("metadata", "read") || have.get(name).is_some_and(|had| rank(had) >= rank(level))
}

/// Where `name` at `level` stands.
pub fn standing(name: &str, level: &str, app: &Permissions, installation: &Permissions) -> Standing {
    if grants(installation, name, level) {
        Standing::Granted
    } else if grants(app, name, level) {
        Standing::NotApproved
    } else {
        Standing::NotRequested
    }
}

/// The alternatives in `X-Accepted-GitHub-Permissions`: commas join, semicolons separate.
pub fn alternatives(header: &str) -> Vec<Permissions> {
    let one = |text: &str| text.trim().split_once('=').map(|(name, level)| (name.to_owned(), level.to_owned()));
    header
        .split(';')
        .map(|set| set.split(',').filter_map(one).collect::<Permissions>())
        .filter(|set| !set.is_empty())
        .collect()
}

/// `checks:write and contents:read`.
pub fn shown(permissions: &Permissions) -> String {
    permissions.iter().map(|(name, level)| format!("{name}:{level}")).collect::<Vec<_>>().join(" and ")
}

/// The page on which the App's permissions are set.
pub fn settings_page(api_url: &Url, app: &App) -> String {
    let web = web_url(api_url);
    let organization = app.owner.as_ref().filter(|owner| owner.kind.as_deref() == Some("Organization"));
    let owner = organization.map(|owner| format!("/organizations/{}", owner.login)).unwrap_or_default();
    match &app.slug {
        Some(slug) => format!("{web}{owner}/settings/apps/{slug}/permissions"),
        None => format!("{web}{owner}/settings/apps"),
    }
}

/// The page on which the owner of `installation` approves new permissions.
pub fn approval_page(api_url: &Url, installation: &Installation) -> String {
    format!("{}/permissions/update", installation_page(api_url, installation))
}

/// The page on which the owner of `installation` chooses repositories, suspends and removes it.
pub fn installation_page(api_url: &Url, installation: &Installation) -> String {
    let address = || format!("{}/settings/installations/{}", web_url(api_url), installation.id);
    installation.html_url.clone().unwrap_or_else(address)
}

/// The page on which the App is installed on further accounts.
pub fn install_page(api_url: &Url, app: &App) -> String {
    match (&app.html_url, &app.slug) {
        (Some(page), _) => format!("{page}/installations/new"),
        (None, Some(slug)) => format!("{}/apps/{slug}/installations/new", web_url(api_url)),
        (None, None) => format!("{}/settings/apps", web_url(api_url)),
    }
}

fn rank(level: &str) -> u8 {
    match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permissions(text: &str) -> Permissions {
        alternatives(text).pop().unwrap_or_default()
    }

    #[test]
    fn each_place_is_told_apart() {
        let (app, installation) = (permissions("checks=write,contents=read"), permissions("checks=read,contents=read"));
        for (name, level, expected) in [
            ("contents", "read", Standing::Granted),
            ("checks", "read", Standing::Granted),
            ("checks", "write", Standing::NotApproved),
            ("contents", "write", Standing::NotRequested),
            ("issues", "read", Standing::NotRequested),
        ] {
            assert_eq!(standing(name, level, &app, &installation), expected, "{name}:{level}");
        }
    }

    #[test]
    fn the_header_names_alternatives() {
        let sets: Vec<String> =
            alternatives("contents=read,pull_requests=read; issues=write").iter().map(shown).collect();
        assert_eq!(sets, ["contents:read and pull_requests:read", "issues:write"]);
        assert!(alternatives(" ; , x").is_empty());
    }

    #[test]
    fn each_page_is_where_githubs_is() {
        let api = Url::parse("https://api.github.com/").expect("url");
        let app = |owner: &str| -> App {
            serde_json::from_value(serde_json::json!({"id": 1, "slug": "my-app", "name": "my app",
                "html_url": "https://github.com/apps/my-app", "owner": {"login": "octo", "type": owner}}))
            .expect("app")
        };
        assert_eq!(settings_page(&api, &app("User")), "https://github.com/settings/apps/my-app/permissions");
        assert_eq!(
            settings_page(&api, &app("Organization")),
            "https://github.com/organizations/octo/settings/apps/my-app/permissions"
        );
        assert_eq!(install_page(&api, &app("User")), "https://github.com/apps/my-app/installations/new");
        let installation: Installation = serde_json::from_value(serde_json::json!({"id": 7})).expect("installation");
        assert_eq!(
            approval_page(&api, &installation),
            "https://github.com/settings/installations/7/permissions/update"
        );
    }
}
