//! App manifests: what GitHub accepts, with its own messages.
//!
//! Source: <https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest>

use serde::Deserialize;
use serde_json::Value;

use crate::emulator::routes::is_web_address;
use crate::emulator::state::apps::NewApp;
use crate::emulator::state::permissions::{Level, Permissions, needed_for_event};

/// Longest name of an App, in characters.
const LONGEST_NAME: usize = 34;
/// Most callback addresses of an App.
const MOST_CALLBACKS: usize = 10;

/// A manifest as it is posted; keys that GitHub does not know are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Name of the App; the page asks for one when it is missing.
    pub name: Option<String>,
    /// Home page.
    pub url: Option<String>,
    /// Webhook.
    pub hook_attributes: Option<HookAttributes>,
    /// Where the code goes.
    pub redirect_url: Option<String>,
    /// Where people go after they authorised the App.
    pub callback_urls: Option<Vec<String>>,
    /// Where people go after they installed the App.
    pub setup_url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether other accounts may install it.
    pub public: Option<bool>,
    /// What it is told.
    pub default_events: Option<Vec<String>>,
    /// What it may do.
    pub default_permissions: Option<serde_json::Map<String, Value>>,
}

/// The webhook in a manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HookAttributes {
    /// Where deliveries go.
    pub url: Option<String>,
    /// Whether they are sent; yes unless said otherwise.
    pub active: Option<bool>,
}

impl Manifest {
    /// Reads the JSON of the form field.
    ///
    /// # Errors
    /// What GitHub's page says.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        serde_json::from_str(text).map_err(|error| vec![format!("Manifest is not valid JSON: {error}")])
    }

    /// The App that it describes.
    ///
    /// # Errors
    /// All that is wrong with it, as GitHub's page lists it.
    pub fn check(&self) -> Result<NewApp, Vec<String>> {
        let mut wrong = Vec::new();
        let given = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
        let name = given(&self.name);
        match &name {
            None => wrong.push("Name can't be blank".to_owned()),
            Some(name) if name.chars().count() > LONGEST_NAME => {
                wrong.push(format!("Name is too long (maximum is {LONGEST_NAME} characters)"));
            }
            Some(_) => {}
        }
        let mut address = |label: &str, value: &Option<String>| {
            if value.as_deref().is_some_and(|v| !is_web_address(v)) {
                wrong.push(format!("{label} is not a valid URL"));
            }
        };
        address("Url", &given(&self.url));
        address("Redirect url", &given(&self.redirect_url));
        address("Setup url", &given(&self.setup_url));
        if let Some(hook) = &self.hook_attributes {
            address("Hook url", &given(&hook.url));
        }
        for callback in self.callback_urls.iter().flatten() {
            address("Callback url", &Some(callback.clone()));
        }
        if given(&self.url).is_none() {
            wrong.push("Url can't be blank".to_owned());
        }
        if self.hook_attributes.as_ref().is_some_and(|hook| given(&hook.url).is_none()) {
            wrong.push("Hook url can't be blank".to_owned());
        }
        if self.callback_urls.as_ref().is_some_and(|urls| urls.len() > MOST_CALLBACKS) {
            wrong.push(format!("Callback urls is too long (maximum is {MOST_CALLBACKS})"));
        }
        let permissions = self.permissions(&mut wrong);
        let events = self.default_events.clone().unwrap_or_default();
        for event in &events {
            check_event(event, &permissions, &mut wrong);
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(NewApp {
            id: None,
            name: name.unwrap_or_default(),
            url: given(&self.url).unwrap_or_default(),
            description: self.description.clone(),
            setup_url: given(&self.setup_url),
            public: self.public.unwrap_or(false),
            hook_url: self.hook_attributes.as_ref().and_then(|hook| given(&hook.url)),
            hook_active: self.hook_attributes.as_ref().is_some_and(|hook| hook.active != Some(false)),
            secret: None,
            permissions,
            events,
        })
    }

    fn permissions(&self, wrong: &mut Vec<String>) -> Permissions {
        let mut permissions = Permissions::new();
        for (name, level) in self.default_permissions.iter().flatten() {
            match serde_json::from_value::<Level>(level.clone()) {
                Ok(level) => {
                    permissions.insert(name.clone(), level);
                }
                Err(_) if level == "none" => {}
                Err(_) => wrong.push(format!("Default permission records action {level} is not included in the list")),
            }
        }
        permissions
    }
}

fn check_event(event: &str, permissions: &Permissions, wrong: &mut Vec<String>) {
    match needed_for_event(event) {
        None => wrong.push(format!("Default events unsupported: {event}")),
        Some(needs) => {
            let has = |name: &&str| permissions.contains_key(*name) || *name == "metadata";
            if !needs.is_empty() && !needs.iter().any(has) {
                wrong.push(format!("Default events are not supported by permissions: {event}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Manifest;

    fn said(change: Value) -> Vec<String> {
        let mut manifest = json!({
            "name": "app", "url": "https://example.com",
            "hook_attributes": {"url": "https://example.com/hook"},
            "default_permissions": {"checks": "write", "pull_requests": "read"},
            "default_events": ["pull_request", "check_run"],
        });
        for (name, value) in change.as_object().expect("an object") {
            manifest[name] = value.clone();
        }
        Manifest::parse(&manifest.to_string()).and_then(|m| m.check()).err().unwrap_or_default()
    }

    #[test]
    fn each_rule_has_its_message() {
        let cases = [
            (json!({}), None),
            (json!({"version": "v1"}), None),
            (json!({"name": "x".repeat(34)}), None),
            (json!({"name": "x".repeat(35)}), Some("Name is too long (maximum is 34 characters)")),
            (json!({"name": " "}), Some("Name can't be blank")),
            (json!({"url": null}), Some("Url can't be blank")),
            (json!({"url": "example"}), Some("Url is not a valid URL")),
            (json!({"hook_attributes": {}}), Some("Hook url can't be blank")),
            (json!({"hook_attributes": {"url": "ftp://x/"}}), Some("Hook url is not a valid URL")),
            (json!({"hook_attributes": null}), None),
            (json!({"default_events": ["nonsense"]}), Some("Default events unsupported: nonsense")),
            (json!({"default_events": ["push"]}), Some("Default events are not supported by permissions: push")),
            (
                json!({"default_permissions": {"checks": "all", "pull_requests": "read"}, "default_events": []}),
                Some("Default permission records action \"all\" is not included in the list"),
            ),
            (
                json!({"callback_urls": vec!["https://example.com"; 11]}),
                Some("Callback urls is too long (maximum is 10)"),
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(said(change.clone()).first().map(String::as_str), expected, "{change}");
        }
        assert!(Manifest::parse("{").is_err());
    }
}
