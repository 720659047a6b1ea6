//! The shapes of payloads, as GitHub describes them: embedded, compressed, and shared between events.
//!
//! The file and what is in it: `templates/events/make-shapes.py`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::nearest;

const SHAPES: &[u8] = include_bytes!("../../../templates/events/shapes.json.zst");

/// More than the shapes are long, in bytes.
const CAPACITY: usize = 1 << 20;

/// What a part of a payload looks like.
#[derive(Debug)]
pub(super) struct Node {
    /// Its kind.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
}

/// The kinds of parts; a part within names its node.
#[derive(Debug)]
pub(super) enum Kind {
    /// An object with known keys, in their order.
    Object(Vec<Field>),
    /// An object with any keys, and what their values look like when that is known.
    Map(Option<usize>),
    /// A list, of at least so many items.
    List(usize, usize),
    /// A text, number or truth value.
    Scalar(Scalar),
}

/// A key of an object.
#[derive(Debug)]
pub(super) struct Field {
    /// The key.
    pub key: String,
    /// What it holds.
    pub node: usize,
    /// Whether it is there of itself.
    pub sent: bool,
}

/// A text, number or truth value.
#[derive(Debug, Default)]
pub(super) struct Scalar {
    /// Letters of the types that it may have, of `sinb`; none where nothing is said.
    pub types: String,
    /// `uri`, `date-time`, `date` or `email`.
    pub format: Option<String>,
    /// The only values that it may have; any when there are none.
    pub choices: Vec<Value>,
}

impl Scalar {
    /// Whether it may be `value`.
    pub fn takes(&self, value: &Value) -> bool {
        let has = |letter: char| self.types.contains(letter);
        let typed = match value {
            Value::String(_) => has('s'),
            Value::Bool(_) => has('b'),
            Value::Number(number) => has('n') || has('i') && (number.is_i64() || number.is_u64()),
            _ => false,
        };
        (typed || self.types.is_empty()) && (self.choices.is_empty() || self.choices.contains(value))
    }
}

/// Why there is no payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// GitHub has no such event.
    #[error("there is no event {name}")]
    Event {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Vec<String>,
    },
    /// The event has no such action.
    #[error("the event {event} has no action {name}")]
    Action {
        /// The event.
        event: String,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Vec<String>,
        /// All actions of the event.
        actions: Vec<String>,
    },
    /// What is embedded in the program cannot be read.
    #[error("the embedded payloads are damaged: {0}")]
    Damaged(String),
}

/// Every event that GitHub describes.
#[derive(Debug)]
pub struct Catalogue {
    nodes: Vec<Node>,
    events: BTreeMap<String, Map<String, Value>>,
    /// What the values are: `templates/events/world.yaml`.
    pub(super) matter: Value,
}

#[derive(Deserialize)]
struct File {
    nodes: Vec<Map<String, Value>>,
    events: BTreeMap<String, Map<String, Value>>,
}

impl Catalogue {
    /// Reads what is embedded in the program.
    ///
    /// # Errors
    /// [`Unknown::Damaged`], which a test excludes.
    pub fn embedded() -> Result<Self, Unknown> {
        let damaged = |error: &dyn std::fmt::Display| Unknown::Damaged(error.to_string());
        let text = zstd::bulk::decompress(SHAPES, CAPACITY).map_err(|error| damaged(&error))?;
        let file: File = serde_json::from_slice(&text).map_err(|error| damaged(&error))?;
        let nodes = file.nodes.iter().map(node).collect();
        let matter = serde_yaml::from_str(super::world::MATTER).map_err(|error| damaged(&error))?;
        Ok(Self { nodes, events: file.events, matter })
    }

    /// The events, each with its actions, sorted; an event without actions has none.
    pub fn events(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.events.iter().map(|(event, actions)| (event.as_str(), names(actions)))
    }

    /// The name of the event as GitHub writes it, for what a person writes.
    ///
    /// # Errors
    /// [`Unknown::Event`].
    pub fn event(&self, name: &str) -> Result<&str, Unknown> {
        let plain = name.replace('-', "_");
        self.events.get_key_value(&plain).map(|(event, _)| event.as_str()).ok_or_else(|| Unknown::Event {
            name: name.to_owned(),
            near: nearest(&plain, self.events.keys().map(String::as_str)),
        })
    }

    /// The action that is meant when none is named: what begins things, else the first one. `None`
    /// for an event without actions.
    ///
    /// # Errors
    /// [`Unknown::Event`].
    pub fn default_action(&self, event: &str) -> Result<Option<&str>, Unknown> {
        let actions = names(self.of(self.event(event)?)?);
        let begins = ["opened", "created", "published", "submitted", "completed", "requested", "added"];
        let begin = begins.iter().find_map(|begin| actions.iter().find(|action| *action == begin));
        Ok(begin.or(actions.first()).copied())
    }

    /// Whether there is such an event, and such an action of it when one is named.
    ///
    /// # Errors
    /// When there is not.
    pub fn knows(&self, event: &str, action: Option<&str>) -> Result<(), Unknown> {
        let event = self.event(event)?;
        match action {
            Some(action) => self.root(event, Some(action)).map(drop),
            None => Ok(()),
        }
    }

    fn of(&self, event: &str) -> Result<&Map<String, Value>, Unknown> {
        self.events.get(event).ok_or_else(|| Unknown::Event { name: event.to_owned(), near: Vec::new() })
    }

    /// The root of the payload of `event` with `action`.
    pub(super) fn root(&self, event: &str, action: Option<&str>) -> Result<usize, Unknown> {
        let actions = self.of(self.event(event)?)?;
        // Whoever dispatches the event chooses its action.
        let found = if event == "repository_dispatch" { actions.values().next() } else { None };
        let found = found.or_else(|| actions.get(action.unwrap_or_default()));
        let found = found.and_then(Value::as_u64).and_then(|node| usize::try_from(node).ok());
        found.ok_or_else(|| Unknown::Action {
            event: event.to_owned(),
            name: action.unwrap_or_default().to_owned(),
            near: nearest(action.unwrap_or_default(), names(actions)),
            actions: names(actions).into_iter().map(str::to_owned).collect(),
        })
    }

    /// A node that another one names.
    pub(super) fn node(&self, index: usize) -> &Node {
        const NOTHING: &Node = &Node {
            kind: Kind::Scalar(Scalar { types: String::new(), format: None, choices: Vec::new() }),
            nullable: true,
        };
        self.nodes.get(index).unwrap_or(NOTHING)
    }
}

fn names(actions: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = actions.keys().map(String::as_str).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names
}

fn index(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|index| usize::try_from(index).ok())
}

fn node(raw: &Map<String, Value>) -> Node {
    let kind = if let Some(Value::Object(fields)) = raw.get("o") {
        let field = |(key, value): (&String, &Value)| {
            let number = value.as_i64()?;
            let (node, sent) = if number < 0 { (!number, false) } else { (number, true) };
            Some(Field { key: key.clone(), node: usize::try_from(node).ok()?, sent })
        };
        Kind::Object(fields.iter().filter_map(field).collect())
    } else if let Some(values) = raw.get("m") {
        Kind::Map(index(values))
    } else if let Some(items) = raw.get("a").and_then(index) {
        Kind::List(items, raw.get("n").and_then(index).unwrap_or_default())
    } else {
        let text = |key: &str| raw.get(key).and_then(Value::as_str).map(str::to_owned);
        let choices = raw.get("e").and_then(Value::as_array).cloned().unwrap_or_default();
        Kind::Scalar(Scalar { types: text("t").unwrap_or_default(), format: text("f"), choices })
    };
    Node { kind, nullable: raw.contains_key("z") }
}

#[cfg(test)]
mod tests {
    use super::{Catalogue, Unknown};

    #[test]
    fn events_and_actions_are_found_or_suggested() {
        let catalogue = Catalogue::embedded().expect("embedded");
        assert!(catalogue.events().count() >= 70);
        assert_eq!(catalogue.event("sub-issues"), Ok("sub_issues"));
        assert_eq!(catalogue.default_action("pull_request"), Ok(Some("opened")));
        assert_eq!(catalogue.default_action("push"), Ok(None));
        assert!(catalogue.root("repository_dispatch", Some("anything")).is_ok());
        let wrong = catalogue.root("pull_request", Some("oppened")).expect_err("no such action");
        assert!(matches!(wrong, Unknown::Action { near, .. } if near == ["opened"]));
        let wrong = catalogue.event("pull_requests").expect_err("no such event");
        assert!(matches!(wrong, Unknown::Event { near, .. } if near[0] == "pull_request"));
    }
}
