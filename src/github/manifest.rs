//! App manifests: what a new App is to be like, and the defaults of each deployment.
//!
//! Source: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>

mod check;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use check::{Network, check};

/// Longest name of an App, in characters.
pub const LONGEST_NAME: usize = 34;
/// Most callback addresses of an App.
pub const MOST_CALLBACKS: usize = 10;

/// Where the webhook of a new App leads until it gets its real address; reserved, so that nobody
/// receives what is sent there.
pub const PLACEHOLDER_HOOK: &str = "https://example.com/github/events";

/// What kind of deployment an App is for; decides its name and its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// A developer's own machine.
    Local,
    /// A pull request, by number.
    Review(u64),
    /// The last stop before production.
    Staging,
    /// Production.
    Prod,
}

impl Deployment {
    /// The usual name of its App, when `account` owns it.
    pub fn app_name(self, account: &str) -> String {
        match self {
            Self::Local => format!("pforge-local-{account}"),
            Self::Review(number) => format!("pforge-pr-{number}"),
            Self::Staging => "pangeo-forge-staging".to_owned(),
            Self::Prod => "pangeo-forge".to_owned(),
        }
    }

    /// What its App is for.
    pub fn description(self) -> &'static str {
        match self {
            Self::Local | Self::Review(_) => "A development version of the pangeo-forge github app.",
            Self::Staging => "A staging deployment of the official pangeo-forge github app.",
            Self::Prod => "The official pangeo-forge github app.",
        }
    }
}

/// A manifest as GitHub takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The App's name.
    pub name: String,
    /// Its home page.
    pub url: String,
    /// Its webhook; without it, it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_attributes: Option<HookAttributes>,
    /// Where the browser goes with the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// Where people go after they authorised the App.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callback_urls: Vec<String>,
    /// Where people go after they installed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_url: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether other accounts may install it.
    #[serde(default)]
    pub public: bool,
    /// The events it is told of.
    #[serde(default)]
    pub default_events: Vec<String>,
    /// What it may do: permission to access level.
    #[serde(default)]
    pub default_permissions: BTreeMap<String, String>,
    /// Whether people authorise it when they install it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_oauth_on_install: Option<bool>,
    /// Whether people go to [`Manifest::setup_url`] also after they changed the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_on_update: Option<bool>,
}

/// The webhook in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookAttributes {
    /// Where deliveries go.
    pub url: String,
    /// Whether they are sent; GitHub's default is that they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

impl Manifest {
    /// What an App for `deployment`, owned by `account`, is like unless somebody says otherwise.
    pub fn of(deployment: Deployment, account: &str) -> Self {
        let permissions = [
            ("administration", "write"),
            ("checks", "write"),
            ("contents", "write"),
            ("deployments", "write"),
            ("issues", "read"),
            ("metadata", "read"),
            ("pull_requests", "write"),
        ];
        Self {
            name: deployment.app_name(account),
            url: "https://pangeo-forge.org/".to_owned(),
            hook_attributes: Some(HookAttributes { url: PLACEHOLDER_HOOK.to_owned(), active: None }),
            redirect_url: None,
            callback_urls: vec!["https://example.com/callback".to_owned()],
            setup_url: None,
            description: Some(deployment.description().to_owned()),
            public: false,
            default_events: ["issue_comment", "pull_request"].map(str::to_owned).into(),
            default_permissions: permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).into(),
            request_oauth_on_install: None,
            setup_on_update: None,
        }
    }

    /// Itself with each key that `own` has in the place of its own; `null` takes the key out. Not
    /// checked yet: that is [`check`].
    pub fn overlaid(&self, own: Map<String, Value>) -> Map<String, Value> {
        let Ok(Value::Object(mut whole)) = serde_json::to_value(self) else { return own };
        for (key, value) in own {
            match value {
                Value::Null => drop(whole.shift_remove(&key)),
                value => drop(whole.insert(key, value)),
            }
        }
        whole
    }
}

/// Something in a manifest that GitHub refuses, or would silently ignore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where: `hook_attributes.url`, `callback_urls[3]`.
    pub path: String,
    /// What is wrong with it: the rest of a sentence that begins with the path.
    pub rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.rule)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: [Deployment; 4] = [Deployment::Local, Deployment::Review(80), Deployment::Staging, Deployment::Prod];

    #[test]
    fn the_defaults_are_what_they_always_were() {
        let names = ALL.map(|deployment| Manifest::of(deployment, "alice").name);
        assert_eq!(names, ["pforge-local-alice", "pforge-pr-80", "pangeo-forge-staging", "pangeo-forge"]);
        let whole = serde_json::to_value(Manifest::of(Deployment::Prod, "alice")).expect("JSON");
        let expected = json!({
            "name": "pangeo-forge",
            "url": "https://pangeo-forge.org/",
            "hook_attributes": { "url": "https://example.com/github/events" },
            "callback_urls": ["https://example.com/callback"],
            "description": "The official pangeo-forge github app.",
            "public": false,
            "default_events": ["issue_comment", "pull_request"],
            "default_permissions": {
                "administration": "write", "checks": "write", "contents": "write", "deployments": "write",
                "issues": "read", "metadata": "read", "pull_requests": "write",
            },
        });
        assert_eq!(whole, expected);
    }

    #[test]
    fn the_defaults_have_no_fault() {
        for deployment in ALL {
            let manifest = Manifest::of(deployment, "alice");
            assert_eq!(check(&manifest.overlaid(Map::new()), Network::Internet), Ok(manifest));
        }
    }

    #[test]
    fn each_key_of_a_file_takes_the_place_of_the_default() {
        let Value::Object(own) = json!({
            "url": "https://example.org", "description": null, "default_permissions": {"issues": "write"},
            "default_events": ["issues"], "setup_url": "https://example.org/setup",
        }) else {
            panic!("an object")
        };
        let merged = Manifest::of(Deployment::Local, "alice").overlaid(own);
        let manifest = check(&merged, Network::Internet).expect("no fault");
        assert_eq!((manifest.url.as_str(), manifest.description), ("https://example.org", None));
        assert_eq!(manifest.default_permissions, BTreeMap::from([("issues".to_owned(), "write".to_owned())]));
        assert_eq!((manifest.default_events, manifest.callback_urls.len()), (vec!["issues".to_owned()], 1));
    }
}
