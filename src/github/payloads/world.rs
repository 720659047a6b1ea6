//! The small world that payloads tell of, and the templates of what is in it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// What the values are; its own head says how it is written.
pub(super) const MATTER: &str = include_str!("../../../templates/events/world.yaml");

/// Whom and what the payloads tell of.
#[derive(Clone, Debug)]
pub struct World {
    /// Root of the API, without a slash at the end.
    pub api: String,
    /// Root of the pages for people, without a slash at the end.
    pub html: String,
    /// `owner/name`.
    pub repository: String,
    /// Login of who does it.
    pub sender: String,
    /// Id of the installation.
    pub installation: i64,
    /// Id of the App.
    pub app_id: i64,
    /// Short name of the App.
    pub app_slug: String,
    /// The time of what happened.
    pub now: DateTime<Utc>,
}

impl World {
    /// The world of a GitHub whose API is at `api`; a repository of recipes, and nobody in particular.
    pub fn at(api: &str, now: DateTime<Utc>) -> Self {
        let api = api.trim_end_matches('/').to_owned();
        let html = match api.strip_suffix("/api/v3") {
            _ if api == "https://api.github.com" => "https://github.com".to_owned(),
            Some(server) => server.to_owned(),
            None => api.clone(),
        };
        Self {
            api,
            html,
            repository: "pangeo-forge/staged-recipes".to_owned(),
            sender: "contributor".to_owned(),
            installation: 26_000_001,
            app_id: 260_001,
            app_slug: "pforge-app".to_owned(),
            now,
        }
    }

    /// Id of the webhook, as `ping` tells it and `X-GitHub-Hook-ID` repeats it.
    pub fn hook_id() -> i64 {
        id_of("hook")
    }

    /// The variables that templates may use.
    pub(super) fn variables(&self) -> Variables {
        let (owner, name) = self.repository.split_once('/').unwrap_or((&self.repository, "repository"));
        let host = self.html.split("://").last().unwrap_or_default();
        let shas =
            [("head_sha", 1), ("base_sha", 2), ("merge_sha", 3), ("tree_sha", 4)].map(|(of, salt)| (of, sha(salt)));
        let mut variables: Variables = [
            ("api", json!(self.api)),
            ("html", json!(self.html)),
            ("host", json!(host)),
            ("owner", json!(owner)),
            ("owner_id", json!(id_of("owner"))),
            ("name", json!(name)),
            ("repo", json!(self.repository)),
            ("repo_id", json!(id_of("repository"))),
            ("sender", json!(self.sender)),
            ("sender_id", json!(id_of("sender"))),
            ("reviewer", json!("developer")),
            ("reviewer_id", json!(id_of("reviewer"))),
            ("bot_id", json!(id_of("bot"))),
            ("installation", json!(self.installation)),
            ("app_id", json!(self.app_id)),
            ("app_slug", json!(self.app_slug)),
            ("client_id", json!("Iv23liExample0000001")),
            ("number", json!(1)),
            ("branch", json!("add-recipe")),
            ("default_branch", json!("main")),
            ("now", json!(self.now.format("%Y-%m-%dT%H:%M:%SZ").to_string())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (name, sha) in shas {
            variables.insert(format!("{name}_short"), json!(sha[..SHORT_SHA]));
            variables.insert(name.to_owned(), json!(sha));
        }
        variables
    }
}

/// Values by the name that templates have for them.
pub(super) type Variables = BTreeMap<String, Value>;

/// Digits of a commit in an address that compares two.
pub(super) const SHORT_SHA: usize = 12;

/// A number that stands for what is called `name`: the same one everywhere, another for each name.
pub(super) fn id_of(name: &str) -> i64 {
    100_000_000 + i64::from(hash(name.as_bytes()) % 900_000_000)
}

/// The name of a commit that does not exist.
fn sha(salt: u8) -> String {
    (0..5_u8).map(|part| format!("{:08x}", hash(&[b'c', salt, part]))).collect()
}

/// FNV-1a with a final mix: the same on every machine.
fn hash(bytes: &[u8]) -> u32 {
    let mixed = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    mixed ^ (mixed >> 12)
}

/// A global id in GitHub's older form.
pub(super) fn node_id(kind: &str, id: &str) -> String {
    STANDARD.encode(format!("{:03}:{kind}{id}", kind.len()))
}

/// `value` with each `${name}` replaced; a text that is nothing else takes the variable's type.
pub(super) fn substitute(value: &Value, variables: &Variables) -> Value {
    match value {
        Value::String(text) => substitute_text(text, variables),
        Value::Array(items) => items.iter().map(|item| substitute(item, variables)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), substitute(value, variables)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn substitute_text(text: &str, variables: &Variables) -> Value {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        let id = name.strip_prefix("id:").map(|kind| json!(id_of(kind)));
        let value = id.as_ref().or_else(|| variables.get(name));
        if before.is_empty() && after.is_empty() && out.is_empty() {
            return value.cloned().unwrap_or_default();
        }
        out += before;
        match value {
            Some(Value::String(text)) => out += text,
            Some(other) => out += &other.to_string(),
            None => {}
        }
        rest = after;
    }
    Value::String(out + rest)
}

/// Lays `over` on `base`: objects are joined, anything else replaces what was there.
pub(super) fn lay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) if !over.contains_key("$like") => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(known) => lay(known, value),
                    None => drop(base.insert(key.clone(), value.clone())),
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// An empty object.
pub(super) fn nothing() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests {
    use super::{World, id_of, json, lay, substitute};

    #[test]
    fn variables_keep_their_type_alone_and_become_text_within() {
        let variables = [("n".to_owned(), json!(7)), ("s".to_owned(), json!("x"))].into();
        let value = substitute(&json!({"a": "${n}", "b": ["/${n}/${s}{/more}"], "c": 1}), &variables);
        assert_eq!(value, json!({"a": 7, "b": ["/7/x{/more}"], "c": 1}));
    }

    #[test]
    fn objects_are_joined() {
        let mut base = json!({"a": {"x": 1, "y": 2}, "b": [1]});
        lay(&mut base, &json!({"a": {"y": 3}, "b": [2], "c": null}));
        assert_eq!(base, json!({"a": {"x": 1, "y": 3}, "b": [2], "c": null}));
    }

    #[test]
    fn pages_are_where_each_kind_of_server_has_them() {
        for (api, html) in [
            ("https://api.github.com/", "https://github.com"),
            ("https://ghes.example.com/api/v3", "https://ghes.example.com"),
            ("http://127.0.0.1:9", "http://127.0.0.1:9"),
        ] {
            assert_eq!(World::at(api, chrono::DateTime::UNIX_EPOCH).html, html);
        }
        assert_ne!(id_of("check_run"), id_of("check_suite"));
    }
}
