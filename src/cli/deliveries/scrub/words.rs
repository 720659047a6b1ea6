//! What is GitHub's and nobody's secret: the words of its addresses, the values of its
//! enumerations, and the names that every repository has.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Values that GitHub's description of webhooks enumerates, one a line.
/// Source: the JSON Schema of octokit/webhooks, its `enum` and `const` values.
const ENUMS: &str = include_str!("enums.txt");

/// Words that stay wherever they stand: branches, file names and endings that everybody has.
const PUBLIC: [&str; 45] = [
    "bot",
    "cfg",
    "dev",
    "develop",
    "diff",
    "example",
    "gif",
    "git",
    "github",
    "head",
    "heads",
    "http",
    "https",
    "ini",
    "ipynb",
    "jpg",
    "js",
    "json",
    "license",
    "localhost",
    "lock",
    "main",
    "master",
    "md",
    "meta",
    "noreply",
    "patch",
    "png",
    "pull",
    "py",
    "readme",
    "refs",
    "remotes",
    "rs",
    "rst",
    "sh",
    "svg",
    "tags",
    "toml",
    "ts",
    "txt",
    "users",
    "xml",
    "yaml",
    "yml",
];

/// Segments of the paths of GitHub's addresses.
const SEGMENTS: [&str; 142] = [
    "access_tokens",
    "actions",
    "admins",
    "advisories",
    "alerts",
    "annotations",
    "api",
    "app",
    "applications",
    "approvals",
    "apps",
    "archive",
    "artifacts",
    "assets",
    "assignees",
    "attempts",
    "avatars",
    "badge",
    "blob",
    "blobs",
    "branches",
    "builds",
    "cancel",
    "cards",
    "check-runs",
    "check-suites",
    "code-scanning",
    "collaborators",
    "columns",
    "comments",
    "commit",
    "commits",
    "compare",
    "config",
    "container",
    "contents",
    "contributors",
    "custom-properties",
    "deliveries",
    "dependabot",
    "deployment_protection_rule",
    "deployments",
    "discussions",
    "downloads",
    "edit",
    "enterprises",
    "environments",
    "events",
    "failures",
    "files",
    "followers",
    "following",
    "forks",
    "gists",
    "git",
    "graphql",
    "hook",
    "hooks",
    "images",
    "installation",
    "installations",
    "instances",
    "invitations",
    "issues",
    "job",
    "jobs",
    "keys",
    "labels",
    "languages",
    "latest",
    "licenses",
    "locations",
    "logs",
    "manifests",
    "marketplace",
    "members",
    "memberships",
    "merge",
    "merges",
    "milestone",
    "milestones",
    "network",
    "notifications",
    "npm",
    "organizations",
    "orgs",
    "outside_collaborators",
    "packages",
    "pages",
    "pending_deployments",
    "permissions",
    "pings",
    "projects",
    "properties",
    "protection",
    "public_members",
    "pull",
    "pulls",
    "raw",
    "reactions",
    "received_events",
    "ref",
    "refs",
    "releases",
    "repos",
    "repositories",
    "required_status_checks",
    "rerequest",
    "rerun",
    "reviews",
    "rules",
    "rulesets",
    "runners",
    "runs",
    "secret-scanning",
    "security",
    "settings",
    "sponsors",
    "stargazers",
    "starred",
    "status",
    "statuses",
    "sub_issues",
    "subscribers",
    "subscription",
    "subscriptions",
    "suites",
    "tag",
    "tags",
    "tarball",
    "teams",
    "timeline",
    "tree",
    "trees",
    "u",
    "users",
    "v3",
    "variables",
    "vulnerability-alerts",
    "wiki",
    "workflows",
    "zipball",
];

/// Words before the number in the fragments of GitHub's addresses.
const FRAGMENTS: [&str; 7] =
    ["issue", "issuecomment", "discussion_r", "discussioncomment", "pullrequestreview", "commitcomment", "step"];

/// Hosts that are GitHub's for everybody, without a number at the end of their first label.
const HOSTS: [&str; 12] = [
    "alambic.github.com",
    "api.github.com",
    "avatars.githubusercontent.com",
    "codeload.github.com",
    "docs.github.com",
    "gist.github.com",
    "github.com",
    "help.github.com",
    "npm.pkg.github.com",
    "raw.githubusercontent.com",
    "uploads.github.com",
    "localhost",
];

static ENUMERATED: LazyLock<HashSet<&str>> = LazyLock::new(|| ENUMS.lines().filter(|line| !line.is_empty()).collect());

/// Whether `value` is one that GitHub enumerates.
pub fn is_enumerated(value: &str) -> bool {
    ENUMERATED.contains(value)
}

/// Whether `word` (in lower case) is everybody's.
pub fn is_public(word: &str) -> bool {
    PUBLIC.binary_search(&word).is_ok()
}

/// Whether `segment` is a word of GitHub's addresses.
pub fn is_segment(segment: &str) -> bool {
    SEGMENTS.binary_search(&segment).is_ok()
}

/// Whether `word` stands in GitHub's fragments.
pub fn is_fragment(word: &str) -> bool {
    FRAGMENTS.contains(&word)
}

/// Whether `host` is GitHub's for everybody, or this machine.
pub fn is_known_host(host: &str) -> bool {
    let (first, rest) = host.split_once('.').unwrap_or((host, ""));
    let plain = format!("{}.{rest}", first.trim_end_matches(|c: char| c.is_ascii_digit()));
    HOSTS.contains(&host) || HOSTS.contains(&plain.as_str()) || host.starts_with("127.") || host == "[::1]"
}

/// What stands in the place of a word: plants, stones and birds, which name nobody.
pub const NEUTRAL: [&str; 64] = [
    "alder", "amber", "aspen", "basalt", "beech", "birch", "bramble", "cedar", "chalk", "clover", "cobalt", "coral",
    "cypress", "dogwood", "dunlin", "elder", "fennel", "fern", "flint", "garnet", "ginkgo", "gneiss", "granite",
    "hazel", "heather", "heron", "holly", "ivy", "jasper", "juniper", "kestrel", "larch", "laurel", "lichen", "linden",
    "lupin", "maple", "marble", "marlin", "mica", "myrtle", "nettle", "oak", "obsidian", "onyx", "opal", "osprey",
    "pebble", "plover", "poplar", "quartz", "rowan", "sage", "sorrel", "spruce", "sumac", "swift", "tansy", "teal",
    "thistle", "topaz", "walnut", "willow", "yarrow",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(PUBLIC.is_sorted() && SEGMENTS.is_sorted());
        assert!(NEUTRAL.iter().all(|word| !is_public(word) && !is_segment(word)));
    }

    #[test]
    fn hosts_with_a_number_are_known_too() {
        for (host, known) in [
            ("github.com", true),
            ("avatars3.githubusercontent.com", true),
            ("127.0.0.1", true),
            ("github.corp.example", false),
            ("pages.github.io", false),
            ("notgithub.com", false),
        ] {
            assert_eq!(is_known_host(host), known, "{host}");
        }
    }
}
