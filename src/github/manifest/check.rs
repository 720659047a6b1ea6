//! What GitHub's page would refuse, found before the browser opens: all of it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::{Map, Value};
use url::{Host, Url};

use super::{Finding, LONGEST_NAME, MOST_CALLBACKS, Manifest};
use crate::github::events::{EVENTS, Level, PERMISSIONS, Subscription, levels, missing, nearest, subscription};
use crate::util::host;

/// Where GitHub's servers stand, and so what they can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// On the internet: github.com and GHE.com.
    Internet,
    /// In a network of its own: an Enterprise Server, which may reach private addresses.
    Private,
}

/// The keys of a manifest.
const KEYS: [&str; 12] = [
    "name",
    "url",
    "hook_attributes",
    "redirect_url",
    "callback_urls",
    "setup_url",
    "description",
    "public",
    "default_events",
    "default_permissions",
    "request_oauth_on_install",
    "setup_on_update",
];

/// What people put into manifests although only the settings page can set it.
const NOT_BY_MANIFEST: [(&str, &str); 7] = [
    ("webhook_secret", "GitHub makes the webhook secret itself; it comes with the credentials"),
    ("hook_secret", "GitHub makes the webhook secret itself; it comes with the credentials"),
    ("secret", "GitHub makes the webhook secret itself; it comes with the credentials"),
    ("device_flow_enabled", "the device flow cannot be set by manifest: switch it on in the App's settings"),
    ("device_flow", "the device flow cannot be set by manifest: switch it on in the App's settings"),
    ("logo", "a logo cannot be set by manifest: upload it in the App's settings"),
    ("avatar", "a logo cannot be set by manifest: upload it in the App's settings"),
];

/// Reads a manifest.
///
/// # Errors
/// Everything that GitHub would refuse or silently ignore, in the order of the keys.
pub fn check(manifest: &Map<String, Value>, network: Network) -> Result<Manifest, Vec<Finding>> {
    let mut checker = Checker { found: Vec::new(), network };
    checker.whole(manifest);
    if !checker.found.is_empty() {
        return Err(checker.found);
    }
    // What the checks let pass has the right types.
    serde_json::from_value(Value::Object(manifest.clone()))
        .map_err(|error| vec![Finding { path: "manifest".to_owned(), rule: error.to_string() }])
}

struct Checker {
    found: Vec<Finding>,
    network: Network,
}

impl Checker {
    fn say(&mut self, path: impl Into<String>, rule: impl Into<String>) {
        self.found.push(Finding { path: path.into(), rule: rule.into() });
    }

    fn whole(&mut self, manifest: &Map<String, Value>) {
        match manifest.get("name") {
            None => self.say("name", "is missing"),
            Some(name) => self.name(name),
        }
        match manifest.get("url") {
            None => self.say("url", "is missing: GitHub wants the App's home page"),
            Some(url) => drop(self.web_address("url", url)),
        }
        if let Some(hook) = manifest.get("hook_attributes") {
            self.hook(hook);
        }
        for key in ["redirect_url", "setup_url"] {
            if let Some(url) = manifest.get(key) {
                self.web_address(key, url);
            }
        }
        self.callbacks(manifest.get("callback_urls"));
        if manifest.get("description").is_some_and(|value| !value.is_string()) {
            self.say("description", "must be text");
        }
        for key in ["public", "request_oauth_on_install", "setup_on_update"] {
            if manifest.get(key).is_some_and(|value| !value.is_boolean()) {
                self.say(key, "must be true or false");
            }
        }
        let permissions = self.permissions(manifest.get("default_permissions"));
        self.events(manifest.get("default_events"), permissions.as_ref());
        self.unknown_keys("", manifest, &KEYS);
    }

    fn unknown_keys(&mut self, prefix: &str, map: &Map<String, Value>, known: &[&str]) {
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let path = format!("{prefix}{key}");
            match NOT_BY_MANIFEST.iter().find(|(name, _)| name == key) {
                Some((_, rule)) => self.say(path, *rule),
                None => self.say(path, format!("is no key of a manifest{}", meant(key, known.iter().copied()))),
            }
        }
    }

    fn name(&mut self, name: &Value) {
        let Some(name) = name.as_str() else { return self.say("name", "must be text") };
        let length = name.chars().count();
        if name.trim().is_empty() {
            self.say("name", "is empty");
        } else if length > LONGEST_NAME {
            self.say("name", format!("{name:?} has {length} characters, and GitHub allows {LONGEST_NAME}"));
        }
    }

    /// The address, when it is one that a browser or GitHub can go to.
    fn web_address(&mut self, path: &str, value: &Value) -> Option<Url> {
        let Some(text) = value.as_str() else {
            self.say(path, "must be text");
            return None;
        };
        if text.trim().is_empty() {
            self.say(path, "is empty");
            return None;
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            Ok(url) if url.has_host() => {
                self.say(path, format!("begins with {}://, and GitHub takes http:// and https:// only", url.scheme()));
                None
            }
            _ => {
                self.say(path, format!("{text:?} is not an absolute URL such as https://example.com/"));
                None
            }
        }
    }

    fn hook(&mut self, hook: &Value) {
        let Some(hook) = hook.as_object() else {
            return self.say("hook_attributes", "must be a mapping with url and perhaps active");
        };
        match hook.get("url") {
            None => self.say(
                "hook_attributes.url",
                "is missing: a webhook needs an address; leave hook_attributes out for an App without one",
            ),
            Some(value) => {
                if let Some(rule) =
                    self.web_address("hook_attributes.url", value).and_then(|url| unreachable(&url, self.network))
                {
                    self.say("hook_attributes.url", rule);
                }
            }
        }
        if hook.get("active").is_some_and(|value| !value.is_boolean()) {
            self.say("hook_attributes.active", "must be true or false");
        }
        self.unknown_keys("hook_attributes.", hook, &["url", "active"]);
    }

    fn callbacks(&mut self, urls: Option<&Value>) {
        let Some(urls) = urls else { return };
        let Some(urls) = urls.as_array() else { return self.say("callback_urls", "must be a list of addresses") };
        if urls.len() > MOST_CALLBACKS {
            self.say("callback_urls", format!("has {} addresses, and GitHub allows {MOST_CALLBACKS}", urls.len()));
        }
        for (number, url) in urls.iter().enumerate() {
            self.web_address(&format!("callback_urls[{number}]"), url);
        }
    }

    /// The permissions, as far as they can be read; `None` when they cannot be read at all.
    fn permissions(&mut self, value: Option<&Value>) -> Option<BTreeMap<String, String>> {
        let Some(value) = value else { return Some(BTreeMap::new()) };
        let Some(map) = value.as_object() else {
            self.say("default_permissions", "must be a mapping of permissions to read, write or admin");
            return None;
        };
        let mut permissions = BTreeMap::new();
        for (name, level) in map {
            let path = format!("default_permissions.{name}");
            // Also a wrong one counts for the events: each mistake is told once.
            permissions.insert(name.clone(), level.as_str().unwrap_or_default().to_owned());
            let Some(known) = levels(name) else {
                let near = nearest(name, PERMISSIONS.iter().map(|(name, _)| *name));
                permissions.extend(near.map(|near| (near.to_owned(), "meant".to_owned())));
                self.say(path, format!("GitHub has no such permission{}", meant(name, near.into_iter())));
                continue;
            };
            let Some(level) = level.as_str() else {
                self.say(path, format!("must be {}", words(known.iter().map(|level| level.name()))));
                continue;
            };
            if level != "none" && Level::of(level).is_none_or(|level| !known.contains(&level)) {
                let names = || known.iter().map(|level| level.name());
                self.say(path, format!("must be {}, not {level:?}{}", words(names()), meant(level, names())));
            }
        }
        Some(permissions)
    }

    fn events(&mut self, value: Option<&Value>, permissions: Option<&BTreeMap<String, String>>) {
        let Some(value) = value else { return };
        let Some(events) = value.as_array() else {
            return self.say("default_events", "must be a list of events");
        };
        let mut seen = BTreeSet::new();
        for (number, event) in events.iter().enumerate() {
            let path = format!("default_events[{number}]");
            let Some(event) = event.as_str() else {
                self.say(path, "must be the name of an event");
                continue;
            };
            if !seen.insert(event) {
                self.say(path, format!("{event} is there twice"));
                continue;
            }
            match subscription(event) {
                None => {
                    let hint = meant(event, EVENTS.iter().map(|(name, _)| *name));
                    self.say(path, format!("GitHub has no event {event:?}{hint}"));
                }
                Some(Subscription::Always) => {
                    self.say(path, format!("every App receives {event}; it cannot be subscribed to"));
                }
                Some(Subscription::Never) => self.say(path, format!("Apps cannot receive {event}")),
                Some(Subscription::Needs(_)) => {
                    let needed = permissions.map_or(&[][..], |permissions| missing(event, permissions));
                    if !needed.is_empty() {
                        let needed = words(needed.iter().copied());
                        self.say(path, format!("{event} needs the permission {needed} in default_permissions"));
                    }
                }
            }
        }
    }
}

/// Why deliveries to `url` could never arrive.
fn unreachable(url: &Url, network: Network) -> Option<String> {
    let v4 = |ip: Ipv4Addr| ip.is_private() || ip.is_link_local() || ip.is_broadcast();
    let private = match url.host()? {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase().ends_with(".local"),
        Host::Ipv4(ip) => v4(ip),
        Host::Ipv6(ip) => ip.to_ipv4_mapped().map_or_else(|| ip.is_unique_local() || ip.is_unicast_link_local(), v4),
    };
    let name = url.host_str().unwrap_or_default();
    if host::is_own(url) {
        Some(format!(
            "{name} is each machine's own address, and GitHub refuses it: keep the placeholder, and let `pforge proxy \
             start` register a tunnel"
        ))
    } else if private && network == Network::Internet {
        Some(format!("{name} is an address of a private network, which GitHub cannot reach"))
    } else {
        None
    }
}

/// `a`, `a or b`, `a, b or c`.
fn words<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The end of a sentence that asks whether another name was meant.
fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

#[cfg(test)]
mod tests;
