use serde_json::json;

use super::*;
use crate::github::manifest::Deployment;

/// What is said about the defaults with `change` over them.
fn said(change: Value, network: Network) -> Vec<String> {
    let Value::Object(change) = change else { panic!("an object") };
    let merged = Manifest::of(Deployment::Local, "alice").overlaid(change);
    let found = check(&merged, network).err().unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn each_rule_names_its_place() {
    let hook = |url: &str| json!({ "hook_attributes": { "url": url } });
    let table = [
        (json!({}), None),
        (json!({ "name": "x".repeat(34) }), None),
        (json!({ "name": "x".repeat(35) }), Some("name: \"xxx")),
        (json!({ "name": "ä".repeat(34) }), None),
        (json!({ "name": " " }), Some("name: is empty")),
        (json!({ "name": 5 }), Some("name: must be text")),
        (json!({ "name": null }), Some("name: is missing")),
        (json!({ "url": null }), Some("url: is missing")),
        (json!({ "url": "pangeo-forge.org" }), Some("url: \"pangeo-forge.org\" is not an absolute URL")),
        (json!({ "url": "ftp://example.com/" }), Some("url: begins with ftp://")),
        (json!({ "hook_attributes": null }), None),
        (json!({ "hook_attributes": {} }), Some("hook_attributes.url: is missing")),
        (json!({ "hook_attributes": "https://example.com" }), Some("hook_attributes: must be a mapping")),
        (
            json!({ "hook_attributes": { "url": "https://example.com", "active": "yes" } }),
            Some("hook_attributes.active: "),
        ),
        (
            json!({ "hook_attributes": { "url": "https://example.com", "secret": "x" } }),
            Some("hook_attributes.secret: GitHub makes"),
        ),
        (hook(""), Some("hook_attributes.url: is empty")),
        (hook("http://localhost:8000/github/hooks/"), Some("hook_attributes.url: localhost is each machine's own")),
        (hook("http://app.localhost./x"), Some("hook_attributes.url: app.localhost. is each")),
        (hook("http://127.1.2.3/"), Some("hook_attributes.url: 127.1.2.3 is each")),
        (hook("http://[::1]:3000/"), Some("hook_attributes.url: [::1] is each")),
        (hook("http://[::ffff:127.0.0.1]/"), Some("hook_attributes.url: [::ffff:7f00:1] is each")),
        (hook("http://0.0.0.0/"), Some("hook_attributes.url: 0.0.0.0 is each")),
        (hook("http://192.168.1.5/"), Some("hook_attributes.url: 192.168.1.5 is an address of a private")),
        (hook("http://10.0.0.1/"), Some("hook_attributes.url: 10.0.0.1 is an address of a private")),
        (hook("http://[fd00::1]/"), Some("hook_attributes.url: [fd00::1] is an address of a private")),
        (hook("http://printer.local/"), Some("hook_attributes.url: printer.local is an address of a private")),
        (hook("https://localhost.example.com/"), None),
        (json!({ "redirect_url": "http://localhost:3000/redirect.html" }), None),
        (json!({ "setup_url": "//x" }), Some("setup_url: ")),
        (json!({ "callback_urls": vec!["https://example.com"; 10] }), None),
        (json!({ "callback_urls": vec!["https://example.com"; 11] }), Some("callback_urls: has 11 addresses")),
        (json!({ "callback_urls": ["https://example.com", "x"] }), Some("callback_urls[1]: \"x\" is not")),
        (json!({ "callback_urls": "https://example.com" }), Some("callback_urls: must be a list")),
        (json!({ "public": "no" }), Some("public: must be true or false")),
        (json!({ "description": 1 }), Some("description: must be text")),
        (
            json!({ "default_events": ["pull_requests"] }),
            Some("default_events[0]: GitHub has no event \"pull_requests\"; did you mean pull_request?"),
        ),
        (json!({ "default_events": ["push", "push"] }), Some("default_events[1]: push is there twice")),
        (json!({ "default_events": ["installation"] }), Some("default_events[0]: every App receives installation")),
        (json!({ "default_events": ["sponsorship"] }), Some("default_events[0]: Apps cannot receive sponsorship")),
        (
            json!({ "default_events": ["organization"] }),
            Some("default_events[0]: organization needs the permission members"),
        ),
        (json!({ "default_events": "push" }), Some("default_events: must be a list")),
        (json!({ "default_events": [1] }), Some("default_events[0]: must be the name")),
        (
            json!({ "default_events": ["milestone"], "default_permissions": {} }),
            Some("default_events[0]: milestone needs the permission issues or pull_requests"),
        ),
        (json!({ "default_events": ["repository"], "default_permissions": {} }), None),
        (
            json!({ "default_permissions": { "pull_request": "write", "issues": "read" } }),
            Some("default_permissions.pull_request: GitHub has no such permission; did you mean pull_requests?"),
        ),
        (
            json!({ "default_permissions": { "pull_requests": "wirte" } }),
            Some("default_permissions.pull_requests: must be read or write, not \"wirte\"; did you mean write?"),
        ),
        (
            json!({ "default_permissions": { "issues": "admin" } }),
            Some("default_permissions.issues: must be read or write, not \"admin\""),
        ),
        (
            json!({ "default_permissions": { "issues": true } }),
            Some("default_permissions.issues: must be read or write"),
        ),
        (json!({ "default_permissions": ["issues"] }), Some("default_permissions: must be a mapping")),
        (
            json!({ "default_permissions": { "workflows": "read", "issues": "read" } }),
            Some("default_permissions.workflows: must be write, not \"read\""),
        ),
        (
            json!({ "callback_url": "https://example.com" }),
            Some("callback_url: is no key of a manifest; did you mean callback_urls?"),
        ),
        (json!({ "device_flow_enabled": true }), Some("device_flow_enabled: the device flow cannot be set")),
        (json!({ "webhook_secret": "hunter2" }), Some("webhook_secret: GitHub makes the webhook secret itself")),
        (json!({ "logo": "x.png" }), Some("logo: a logo cannot be set by manifest")),
    ];
    for (change, expected) in table {
        let said = said(change.clone(), Network::Internet);
        match expected {
            None => assert_eq!(said, Vec::<String>::new(), "{change}"),
            Some(start) => assert!(said[0].starts_with(start), "{change}: {said:?}"),
        }
        assert!(!said.concat().contains("hunter2"));
    }
}

#[test]
fn everything_is_told_at_once() {
    let change = json!({
        "name": "", "url": null, "hook_attributes": { "url": "http://127.0.0.1/" }, "callback_urls": ["x"],
        "default_events": ["push", "nonsense"], "default_permissions": { "chekcs": "write" }, "logo": "x",
    });
    let said = said(change, Network::Internet);
    let places: Vec<&str> = said.iter().filter_map(|line| line.split(": ").next()).collect();
    let expected = [
        "name",
        "url",
        "hook_attributes.url",
        "callback_urls[0]",
        "default_permissions.chekcs",
        "default_events[0]",
        "default_events[1]",
        "logo",
    ];
    assert_eq!(places, expected, "{said:#?}");
}

#[test]
fn a_server_in_a_private_network_reaches_its_neighbours() {
    let hook = |url: &str| said(json!({ "hook_attributes": { "url": url } }), Network::Private).len();
    assert_eq!((hook("http://192.168.1.5/"), hook("http://127.0.0.1/")), (0, 1));
}
