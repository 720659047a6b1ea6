//! Permissions of Apps, and which of them an event needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
}

/// Permissions by name (`checks`, `contents`, …).
pub type Permissions = BTreeMap<String, Level>;

/// Whether `have` grants `name` at `level`. Every App may read metadata.
pub fn grants(have: &Permissions, name: &str, level: Level) -> bool {
    have.get(name).is_some_and(|l| *l >= level) || (name == "metadata" && level == Level::Read)
}

/// Permissions, one of which an App needs to subscribe to `event`; empty when it needs none; `None` for an event
/// that Apps cannot subscribe to.
///
/// Source: <https://docs.github.com/en/webhooks/webhook-events-and-payloads>
pub fn needed_for_event(event: &str) -> Option<&'static [&'static str]> {
    Some(match event {
        "check_run" | "check_suite" => &["checks"],
        "commit_comment"
        | "create"
        | "delete"
        | "fork"
        | "gollum"
        | "push"
        | "release"
        | "repository_dispatch"
        | "merge_group" => &["contents"],
        "deployment" | "deployment_status" | "deployment_review" => &["deployments"],
        "discussion" | "discussion_comment" => &["discussions"],
        "issue_comment" | "label" | "milestone" => &["issues", "pull_requests"],
        "issues" | "sub_issues" => &["issues"],
        "member" | "public" | "repository" | "star" | "watch" => &["metadata"],
        "membership" | "organization" | "team" | "team_add" => &["members"],
        "page_build" => &["pages"],
        "pull_request" | "pull_request_review" | "pull_request_review_comment" | "pull_request_review_thread" => {
            &["pull_requests"]
        }
        "status" => &["statuses"],
        "workflow_dispatch" | "workflow_job" | "workflow_run" => &["actions"],
        "branch_protection_rule" | "repository_ruleset" => &["administration"],
        "security_advisory" | "meta" | "installation_target" | "ping" => &[],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Level, Permissions, grants, needed_for_event};

    #[test]
    fn a_higher_level_contains_the_lower() {
        let have = Permissions::from([("checks".into(), Level::Write), ("issues".into(), Level::Read)]);
        for (name, level, expected) in [
            ("checks", Level::Read, true),
            ("checks", Level::Write, true),
            ("checks", Level::Admin, false),
            ("issues", Level::Write, false),
            ("metadata", Level::Read, true),
            ("metadata", Level::Write, false),
            ("contents", Level::Read, false),
        ] {
            assert_eq!(grants(&have, name, level), expected, "{name} {level:?}");
        }
    }

    #[test]
    fn events_know_their_permissions() {
        assert_eq!(needed_for_event("pull_request"), Some(&["pull_requests"][..]));
        assert_eq!(needed_for_event("nonsense"), None);
    }
}
