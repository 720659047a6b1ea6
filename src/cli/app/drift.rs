//! How the live App differs from its manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::live::Live;
use crate::github::events::Level;
use crate::github::manifest::Manifest;

/// A place at which they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where in the manifest: `default_permissions.checks`.
    pub path: String,
    /// What the manifest says.
    pub manifest: Option<String>,
    /// What GitHub has.
    pub live: Option<String>,
}

/// Everything at which they differ. `named` says whether the project's own file names a key: name
/// and webhook are compared only then, because the defaults of these are meant to be changed.
pub fn differences(manifest: &Manifest, live: &Live, named: impl Fn(&str) -> bool) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    if named("name") {
        found.compare("name", Some(&manifest.name), Some(&live.app.name));
    }
    // GitHub adds or drops the slash at the end.
    let trim = |url: &str| url.trim_end_matches('/').to_owned();
    let (ours, theirs) = (trim(&manifest.url), live.app.external_url.as_deref().map(trim));
    if theirs.as_ref() != Some(&ours) {
        found.compare("url", Some(&manifest.url), live.app.external_url.as_deref());
    }
    let text = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    found.compare("description", text(&manifest.description).as_deref(), text(&live.app.description).as_deref());
    if named("hook_attributes") {
        let ours = manifest.hook_attributes.as_ref().map(|hook| hook.url.as_str());
        found.compare("hook_attributes.url", ours, live.hook_url());
    }
    permissions(manifest, live, &mut found);
    let ours: BTreeSet<&str> = manifest.default_events.iter().map(String::as_str).collect();
    let theirs: BTreeSet<&str> = live.app.events.iter().map(String::as_str).collect();
    for event in ours.symmetric_difference(&theirs) {
        let subscribed = |set: &BTreeSet<&str>| set.contains(event).then_some("subscribed");
        found.compare(&format!("default_events.{event}"), subscribed(&ours), subscribed(&theirs));
    }
    found.0
}

fn permissions(manifest: &Manifest, live: &Live, found: &mut Found) {
    let names: BTreeSet<&String> = manifest.default_permissions.keys().chain(live.app.permissions.keys()).collect();
    for name in names {
        let (ours, theirs) = (level(&manifest.default_permissions, name), level(&live.app.permissions, name));
        // GitHub gives it to every App.
        let given = name == "metadata" && theirs == Some(Level::Read.name()) && ours.is_none();
        if !given {
            found.compare(&format!("default_permissions.{name}"), ours, theirs);
        }
    }
}

/// What `permissions` say of `name`; `none` is the same as nothing.
fn level<'a>(permissions: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    permissions.get(name).map(String::as_str).filter(|level| *level != "none")
}

struct Found(Vec<Difference>);

impl Found {
    fn compare(&mut self, path: &str, manifest: Option<&str>, live: Option<&str>) {
        if manifest != live {
            let (manifest, live) = (manifest.map(str::to_owned), live.map(str::to_owned));
            self.0.push(Difference { path: path.to_owned(), manifest, live });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::github::manifest::Deployment;

    fn live(change: Value, hook: Option<&str>) -> Live {
        let manifest = Manifest::of(Deployment::Local, "alice");
        let mut app = json!({
            "id": 1, "name": manifest.name, "external_url": manifest.url, "description": manifest.description,
            "permissions": manifest.default_permissions, "events": manifest.default_events,
        });
        for (key, value) in change.as_object().expect("an object") {
            app[key] = value.clone();
        }
        let hook = json!({ "url": hook, "content_type": "json" });
        Live {
            app: serde_json::from_value(app).expect("an App"),
            hook: serde_json::from_value(hook).ok(),
            installations: Vec::new(),
            fingerprint: String::new(),
            settings: String::new(),
        }
    }

    /// A path, what the manifest says, what GitHub has.
    type Row = (&'static str, Option<&'static str>, Option<&'static str>);

    #[test]
    fn each_difference_names_its_place() {
        let table: [(Value, &[Row]); 7] = [
            (json!({}), &[]),
            (json!({ "name": "other" }), &[]),
            (json!({ "external_url": "https://pangeo-forge.org" }), &[]),
            (
                json!({ "description": null }),
                &[("description", Some("A development version of the pangeo-forge github app."), None)],
            ),
            (
                json!({ "permissions": {
                    "administration": "write", "checks": "read", "contents": "write", "deployments": "write",
                    "issues": "read", "metadata": "read", "pages": "write",
                } }),
                &[
                    ("default_permissions.checks", Some("write"), Some("read")),
                    ("default_permissions.pages", None, Some("write")),
                    ("default_permissions.pull_requests", Some("write"), None),
                ],
            ),
            (
                json!({ "events": ["pull_request", "push"] }),
                &[
                    ("default_events.issue_comment", Some("subscribed"), None),
                    ("default_events.push", None, Some("subscribed")),
                ],
            ),
            (
                json!({ "external_url": "https://x.example/" }),
                &[("url", Some("https://pangeo-forge.org/"), Some("https://x.example/"))],
            ),
        ];
        let manifest = Manifest::of(Deployment::Local, "alice");
        for (change, expected) in table {
            let found = differences(&manifest, &live(change.clone(), Some("https://smee.io/x")), |_| false);
            let found: Vec<_> =
                found.iter().map(|one| (one.path.as_str(), one.manifest.as_deref(), one.live.as_deref())).collect();
            assert_eq!(found, expected, "{change}");
        }
        let named = differences(&manifest, &live(json!({ "name": "other" }), None), |_| true);
        let paths: Vec<&str> = named.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["name", "hook_attributes.url"]);
    }
}
