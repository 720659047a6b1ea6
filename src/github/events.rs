//! Webhook events and permissions of Apps: which exist, and which permission lets an App subscribe
//! to which event.
//!
//! Sources: <https://docs.github.com/en/webhooks/webhook-events-and-payloads> (each event names
//! what it needs), and the schema `app-permissions` of GitHub's description of its API.

use std::collections::BTreeMap;

/// How far a permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Look.
    Read,
    /// Look and change.
    Write,
    /// Everything.
    Admin,
}

impl Level {
    /// GitHub's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The level that GitHub calls `name`.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|level| level.name() == name)
    }
}

/// What an App has to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// It may subscribe when it has one of these permissions, at any level; when the list is empty,
    /// always.
    Needs(&'static [&'static str]),
    /// Every App receives it and none can subscribe to it.
    Always,
    /// Apps do not receive it.
    Never,
}

use Subscription::{Always, Needs, Never};

/// Every event, by name.
pub const EVENTS: &[(&str, Subscription)] = &[
    ("branch_protection_configuration", Needs(&["administration"])),
    ("branch_protection_rule", Needs(&["administration"])),
    ("check_run", Needs(&["checks"])),
    ("check_suite", Needs(&["checks"])),
    ("code_scanning_alert", Needs(&["security_events"])),
    ("commit_comment", Needs(&["contents"])),
    ("create", Needs(&["contents"])),
    ("custom_property", Needs(&["organization_custom_properties"])),
    ("custom_property_values", Needs(&["organization_custom_properties", "repository_custom_properties"])),
    ("delete", Needs(&["contents"])),
    ("dependabot_alert", Needs(&["vulnerability_alerts"])),
    ("deploy_key", Needs(&["deployments"])),
    ("deployment", Needs(&["deployments"])),
    ("deployment_protection_rule", Needs(&["deployments"])),
    ("deployment_review", Needs(&["deployments"])),
    ("deployment_status", Needs(&["deployments"])),
    ("discussion", Needs(&["discussions"])),
    ("discussion_comment", Needs(&["discussions"])),
    ("fork", Needs(&["contents"])),
    ("github_app_authorization", Always),
    ("gollum", Needs(&["contents"])),
    ("installation", Always),
    ("installation_repositories", Always),
    ("installation_target", Needs(&[])),
    // Comments on pull requests are issue comments, too.
    ("issue_comment", Needs(&["issues", "pull_requests"])),
    ("issue_dependencies", Needs(&["issues"])),
    ("issues", Needs(&["issues"])),
    ("label", Needs(&["metadata"])),
    ("marketplace_purchase", Never),
    ("member", Needs(&["members", "metadata"])),
    ("membership", Needs(&["members"])),
    ("merge_group", Needs(&["merge_queues", "contents"])),
    ("meta", Needs(&[])),
    ("milestone", Needs(&["issues", "pull_requests"])),
    ("org_block", Needs(&["organization_administration", "organization_user_blocking"])),
    ("organization", Needs(&["members"])),
    ("package", Needs(&["packages"])),
    ("page_build", Needs(&["pages"])),
    ("personal_access_token_request", Needs(&["organization_personal_access_token_requests"])),
    ("ping", Always),
    ("project", Needs(&["repository_projects", "organization_projects"])),
    ("project_card", Needs(&["repository_projects", "organization_projects"])),
    ("project_column", Needs(&["repository_projects", "organization_projects"])),
    ("projects_v2", Needs(&["organization_projects"])),
    ("projects_v2_item", Needs(&["organization_projects"])),
    ("projects_v2_status_update", Needs(&["organization_projects"])),
    ("public", Needs(&["metadata"])),
    ("pull_request", Needs(&["pull_requests"])),
    ("pull_request_review", Needs(&["pull_requests"])),
    ("pull_request_review_comment", Needs(&["pull_requests"])),
    ("pull_request_review_thread", Needs(&["pull_requests"])),
    ("push", Needs(&["contents"])),
    ("registry_package", Needs(&["packages"])),
    ("release", Needs(&["contents"])),
    ("repository", Needs(&["metadata"])),
    ("repository_advisory", Needs(&["repository_advisories"])),
    ("repository_dispatch", Needs(&["contents"])),
    ("repository_import", Never),
    ("repository_ruleset", Needs(&["administration", "organization_administration"])),
    ("repository_vulnerability_alert", Needs(&["vulnerability_alerts"])),
    ("secret_scanning_alert", Needs(&["secret_scanning_alerts"])),
    ("secret_scanning_alert_location", Needs(&["secret_scanning_alerts"])),
    ("secret_scanning_scan", Needs(&["secret_scanning_alerts"])),
    ("security_advisory", Needs(&[])),
    ("security_and_analysis", Needs(&["administration"])),
    ("sponsorship", Never),
    ("star", Needs(&["metadata"])),
    ("status", Needs(&["statuses"])),
    ("sub_issues", Needs(&["issues"])),
    ("team", Needs(&["members"])),
    ("team_add", Needs(&["members"])),
    ("watch", Needs(&["metadata"])),
    ("workflow_dispatch", Needs(&["contents", "actions"])),
    ("workflow_job", Needs(&["actions"])),
    ("workflow_run", Needs(&["actions"])),
];

const READ: &[Level] = &[Level::Read];
const WRITE: &[Level] = &[Level::Write];
const BOTH: &[Level] = &[Level::Read, Level::Write];
const ALL: &[Level] = &[Level::Read, Level::Write, Level::Admin];

/// Every permission that an App can have, with the levels that it has.
pub const PERMISSIONS: &[(&str, &[Level])] = &[
    // Of repositories.
    ("actions", BOTH),
    ("actions_variables", BOTH),
    ("administration", BOTH),
    ("artifact_metadata", BOTH),
    ("attestations", BOTH),
    ("checks", BOTH),
    ("codespaces", BOTH),
    ("codespaces_lifecycle_admin", BOTH),
    ("codespaces_metadata", READ),
    ("codespaces_secrets", BOTH),
    ("contents", BOTH),
    ("dependabot_secrets", BOTH),
    ("deployments", BOTH),
    ("discussions", BOTH),
    ("environments", BOTH),
    ("issues", BOTH),
    ("merge_queues", BOTH),
    ("metadata", BOTH),
    ("models", READ),
    ("packages", BOTH),
    ("pages", BOTH),
    ("pull_requests", BOTH),
    ("repository_advisories", BOTH),
    ("repository_custom_properties", BOTH),
    ("repository_hooks", BOTH),
    ("repository_projects", ALL),
    ("secret_scanning_alerts", BOTH),
    ("secrets", BOTH),
    ("security_events", BOTH),
    ("single_file", BOTH),
    ("statuses", BOTH),
    ("vulnerability_alerts", BOTH),
    ("workflows", WRITE),
    // Of organisations.
    ("members", BOTH),
    ("organization_actions_variables", BOTH),
    ("organization_administration", BOTH),
    ("organization_announcement_banners", BOTH),
    ("organization_codespaces", BOTH),
    ("organization_codespaces_secrets", BOTH),
    ("organization_codespaces_settings", BOTH),
    ("organization_copilot_seat_management", BOTH),
    ("organization_custom_org_roles", BOTH),
    ("organization_custom_properties", ALL),
    ("organization_custom_roles", BOTH),
    ("organization_dependabot_secrets", BOTH),
    ("organization_events", READ),
    ("organization_hooks", BOTH),
    ("organization_packages", BOTH),
    ("organization_personal_access_token_requests", BOTH),
    ("organization_personal_access_tokens", BOTH),
    ("organization_plan", READ),
    ("organization_projects", ALL),
    ("organization_secrets", BOTH),
    ("organization_self_hosted_runners", BOTH),
    ("organization_user_blocking", BOTH),
    ("team_discussions", BOTH),
    // Of people, by their authorisation.
    ("blocking", BOTH),
    ("emails", BOTH),
    ("followers", BOTH),
    ("gists", WRITE),
    ("git_signing_ssh_public_keys", BOTH),
    ("gpg_keys", BOTH),
    ("interaction_limits", BOTH),
    ("keys", BOTH),
    ("plan", READ),
    ("profile", WRITE),
    ("starring", BOTH),
    ("watching", BOTH),
];

/// What an App has to do with the event called `name`; `None` when GitHub has no such event.
pub fn subscription(name: &str) -> Option<Subscription> {
    EVENTS.iter().find(|(event, _)| *event == name).map(|(_, subscription)| *subscription)
}

/// The levels of the permission called `name`; `None` when GitHub has no such permission.
pub fn levels(name: &str) -> Option<&'static [Level]> {
    PERMISSIONS.iter().find(|(permission, _)| *permission == name).map(|(_, levels)| *levels)
}

/// The permissions, one of which is missing for the event `name`; empty when an App with
/// `permissions` may subscribe to it, and for an event that it cannot subscribe to at all.
pub fn missing(name: &str, permissions: &BTreeMap<String, String>) -> &'static [&'static str] {
    // Every App may read metadata.
    let has = |needed: &&str| *needed == "metadata" || permissions.get(*needed).is_some_and(|level| level != "none");
    match subscription(name) {
        Some(Needs(one_of)) if !one_of.iter().any(has) => one_of,
        _ => &[],
    }
}

/// The name nearest to `name` among `known`, when it is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|known| (strsim::jaro_winkler(name, known), known));
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.85).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_refer_to_each_other() {
        assert!(EVENTS.is_sorted_by_key(|(name, _)| *name), "events are in the order of their names");
        for (event, subscription) in EVENTS {
            if let Needs(permissions) = subscription {
                for permission in *permissions {
                    assert!(levels(permission).is_some(), "{event} needs {permission}, which does not exist");
                }
            }
        }
    }

    type Names = &'static [&'static str];
    type Granted = &'static [(&'static str, &'static str)];

    #[test]
    fn an_event_knows_what_it_misses() {
        let have = |list: &[(&str, &str)]| list.iter().map(|(n, l)| ((*n).to_owned(), (*l).to_owned())).collect();
        let table: [(&str, Granted, Names); 9] = [
            ("push", &[("contents", "read")], &[]),
            ("push", &[("contents", "none")], &["contents"]),
            ("push", &[], &["contents"]),
            ("issue_comment", &[("pull_requests", "write")], &[]),
            ("issue_comment", &[("checks", "write")], &["issues", "pull_requests"]),
            ("repository", &[], &[]),
            ("meta", &[], &[]),
            ("installation", &[], &[]),
            ("nonsense", &[], &[]),
        ];
        for (event, permissions, expected) in table {
            assert_eq!(missing(event, &have(permissions)), expected, "{event} {permissions:?}");
        }
    }

    #[test]
    fn a_typo_is_near_and_another_word_is_not() {
        let permissions = || PERMISSIONS.iter().map(|(name, _)| *name);
        assert_eq!(nearest("pull_request", permissions()), Some("pull_requests"));
        assert_eq!(nearest("check", permissions()), Some("checks"));
        assert_eq!(nearest("content", permissions()), Some("contents"));
        assert_eq!(nearest("zzz", permissions()), None);
        assert_eq!((Level::of("admin"), Level::of("none")), (Some(Level::Admin), None));
    }
}
