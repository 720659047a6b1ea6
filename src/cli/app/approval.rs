//! What an App asks for and the owner of an installation has not accepted yet.

use crate::github::api::apps::{App, Installation};
use crate::github::events::Level;

/// Permissions that `app` has and `installation` has not, or at a lower level, as `checks:write`.
pub fn unaccepted(app: &App, installation: &Installation) -> Vec<String> {
    let level = |name: Option<&String>| name.and_then(|name| Level::of(name));
    let missing = app.permissions.iter().filter(|(name, wanted)| {
        let given = installation.permissions.get(*name);
        given != Some(*wanted) && level(given) < level(Some(*wanted))
    });
    missing.map(|(name, wanted)| format!("{name}:{wanted}")).collect()
}

/// The page on which the owner accepts.
pub fn page(installation: &Installation) -> Option<String> {
    installation.html_url.as_ref().map(|url| format!("{}/permissions/update", url.trim_end_matches('/')))
}

/// Whom it is installed on.
pub fn account(installation: &Installation) -> &str {
    installation.account.as_ref().map_or("an enterprise", |account| account.login.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_missing_or_lower_waits_for_the_owner() {
        let app = |permissions: Value| -> App {
            serde_json::from_value(json!({ "id": 1, "name": "a", "permissions": permissions })).expect("an App")
        };
        let installation = |permissions: Value| -> Installation {
            serde_json::from_value(json!({ "id": 2, "permissions": permissions })).expect("an installation")
        };
        let wanted = app(json!({ "checks": "write", "issues": "read", "metadata": "read" }));
        for (given, expected) in [
            (json!({ "checks": "write", "issues": "read", "metadata": "read" }), vec![]),
            (json!({ "checks": "write", "issues": "write", "metadata": "read", "pages": "read" }), vec![]),
            (json!({ "checks": "read", "metadata": "read" }), vec!["checks:write", "issues:read"]),
        ] {
            assert_eq!(unaccepted(&wanted, &installation(given.clone())), expected, "{given}");
        }
    }
}
