//! A shape becomes a payload: each value comes from the event, from what is known of its kind of
//! object, from its key, or, when nobody says anything, from its type.

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::shapes::{Catalogue, Field, Kind, Scalar};
use super::world::{Variables, id_of, lay, node_id, nothing, substitute};

/// Fills shapes.
pub(super) struct Filler<'c> {
    /// The shapes and what is to be filled in.
    pub catalogue: &'c Catalogue,
    /// The variables of the world.
    pub variables: &'c Variables,
}

/// The object in which a value stands.
struct Place {
    /// What kind of object it is.
    kind: String,
    /// The kind that its global id names.
    global: String,
    /// Its id.
    id: String,
    /// Its number, when it has one.
    number: String,
    /// Its address in the API.
    url: String,
    /// Its page.
    page: String,
}

/// What is known of a value before its shape is looked at.
struct Known {
    kind: String,
    value: Option<Value>,
    /// Keys that the event names, and that are there even where the shape does not ask for them.
    named: Vec<String>,
}

impl Filler<'_> {
    /// The whole payload of `event`.
    pub fn payload(&self, event: &str, action: Option<&str>, root: usize) -> Value {
        let mut given = nothing();
        let particular = action.map(|action| format!("{event}.{action}"));
        for name in [Some(event), particular.as_deref()].into_iter().flatten() {
            lay(&mut given, &substitute(&self.catalogue.matter["events"][name], self.variables).into_object());
        }
        let mut payload = self.fill(root, event, Some(&given), &self.nowhere(), true);
        if let Some(fields) = payload.as_object_mut() {
            if let Some(action) = action {
                fields.insert("action".to_owned(), json!(action));
            }
            for key in given["$without"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                fields.shift_remove(key);
            }
        }
        payload
    }

    /// One part of a payload that is wanted although it may be left out or null.
    pub fn part(&self, node: usize, key: &str) -> Value {
        self.fill(node, key, None, &self.nowhere(), true)
    }

    fn fill(&self, index: usize, key: &str, given: Option<&Value>, place: &Place, wanted: bool) -> Value {
        let node = self.catalogue.node(index);
        // Whether null is an answer, when nobody knows a better one.
        let may_be_null = node.nullable && !wanted;
        if node.nullable && given == Some(&Value::Null) {
            return Value::Null;
        }
        let given = given.filter(|value| !value.is_null());
        match &node.kind {
            Kind::Scalar(scalar) => self.scalar(scalar, key, given, place, may_be_null),
            Kind::List(items, least) => {
                let items = |given: Option<&Value>| self.fill(*items, key, given, place, true);
                match given.and_then(Value::as_array) {
                    Some(given) if given.len() >= *least => given.iter().map(|item| items(Some(item))).collect(),
                    _ if may_be_null => Value::Null,
                    _ => (0..*least).map(|_| items(None)).collect(),
                }
            }
            Kind::Map(_) => {
                let known = self.known(key, given, false);
                match known.value {
                    Some(value) if value.is_object() => self.expanded(&value),
                    _ if may_be_null => Value::Null,
                    _ => nothing(),
                }
            }
            Kind::Object(fields) => {
                let person = fields.iter().any(|field| field.key == "login");
                let known = self.known(key, given, person && !may_be_null);
                let absent = self.catalogue.matter["absent"].as_array().is_some_and(|keys| keys.contains(&json!(key)));
                if may_be_null && (known.value.is_none() || absent && given.is_none()) {
                    return Value::Null;
                }
                self.object(fields, known)
            }
        }
    }

    fn object(&self, fields: &[Field], known: Known) -> Value {
        let value = known.value.unwrap_or_default();
        let account = value.get("type").and_then(Value::as_str).filter(|_| value.get("login").is_some());
        let global = account.map_or_else(|| camel(&known.kind), str::to_owned);
        let mut place = Place { kind: known.kind, global, ..self.nowhere() };
        for key in ["number", "id"] {
            if let Some(field) = fields.iter().find(|field| field.key == key) {
                let filled = self.fill(field.node, key, value.get(key), &place, true);
                let text = filled.as_str().map_or_else(|| filled.to_string(), str::to_owned);
                match key {
                    "number" => place.number = text,
                    _ => place.id = text,
                }
            }
        }
        let many = plural(&place.kind.replace('_', "-"));
        let own = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = if place.number.is_empty() { &place.id } else { &place.number };
        let below = |root: &str| format!("{}/{many}/{number}", self.text(root));
        let url = own("url").unwrap_or_else(|| below("${api}/repos/${repo}"));
        let page = own("html_url").unwrap_or_else(|| below("${html}/${repo}"));
        let place = Place { url, page, ..place };
        let mut object = Map::new();
        for field in fields.iter().filter(|field| field.sent || known.named.contains(&field.key)) {
            let filled = self.fill(field.node, &field.key, value.get(&field.key), &place, false);
            object.insert(field.key.clone(), filled);
        }
        Value::Object(object)
    }

    fn scalar(&self, scalar: &Scalar, key: &str, given: Option<&Value>, place: &Place, may_be_null: bool) -> Value {
        if may_be_null && scalar.types.is_empty() {
            // Nothing else is described.
            return Value::Null;
        }
        let takes = |value: &Value| scalar.takes(value);
        if let Some(value) = given.filter(|value| takes(value)) {
            return value.clone();
        }
        // Of what may be null only the times of an ordinary life are known.
        if may_be_null && !["created_at", "updated_at", "pushed_at"].contains(&key) {
            return Value::Null;
        }
        if let [first, ..] = scalar.choices.as_slice() {
            return first.clone();
        }
        let by_key = || Some(substitute(self.catalogue.matter["values"].get(key)?, self.variables));
        let by_format = || self.by_format(scalar.format.as_deref()?, key, place);
        let by_name = || Some(self.by_name(key, place)).filter(|value| !value.is_null());
        let found = by_format().filter(takes).or_else(|| by_name().filter(takes)).or_else(|| by_key().filter(takes));
        found.unwrap_or_else(|| match scalar.types.chars().last() {
            Some('b') => json!(false),
            Some('i' | 'n') => json!(0),
            Some('s') => json!("example"),
            _ => nothing(),
        })
    }

    fn by_format(&self, format: &str, key: &str, place: &Place) -> Option<Value> {
        let now = || self.variables.get("now").and_then(Value::as_str);
        match format {
            "date-time" => now().map(Value::from),
            "date" => now().and_then(|now| now.get(..10)).map(Value::from),
            "email" => Some(json!(self.text("${sender}@users.noreply.github.com"))),
            _ => Some(json!(address(key, place))),
        }
    }

    /// What the key itself tells.
    fn by_name(&self, key: &str, place: &Place) -> Value {
        let now = self.variables.get("now").and_then(Value::as_str).unwrap_or_default();
        let seconds = || DateTime::parse_from_rfc3339(now).map(|now| now.timestamp()).unwrap_or_default();
        let known = self.catalogue.matter["values"].get(key).is_some();
        match key {
            "id" => json!(id_of(&place.kind)),
            "created_at" | "pushed_at" | "updated_at" if place.kind == "repository" => json!(seconds()),
            _ if key.ends_with("_at") => json!(now),
            "url" => json!(address(key, place)),
            _ if key.ends_with("_url") => json!(address(key, place)),
            "node_id" => json!(node_id(&place.global, &place.id)),
            _ if known => Value::Null,
            _ => match (key.strip_suffix("_node_id"), key.strip_suffix("_id")) {
                (Some(of), _) => json!(node_id(&camel(of), &id_of(of).to_string())),
                (None, Some(of)) => json!(id_of(of)),
                _ => Value::Null,
            },
        }
    }

    /// What is known of the value of `key`; `person` when it is somebody, at least.
    fn known(&self, key: &str, given: Option<&Value>, person: bool) -> Known {
        let usual = self.catalogue.matter["as"].get(key).and_then(Value::as_str);
        let usual = usual.or_else(|| person.then_some("sender"));
        let Some(Value::Object(fields)) = given else {
            let value = given.cloned().or_else(|| self.kind(usual?, self.variables));
            return Known { kind: usual.unwrap_or(singular(key)).to_owned(), value, named: Vec::new() };
        };
        let like = fields.get("$like").and_then(Value::as_str);
        let kind = like.or(usual);
        let mut value = kind.and_then(|kind| self.like(kind, fields.get("$with"), self.variables)).unwrap_or(nothing());
        let named: Vec<String> = fields.keys().filter(|key| !key.starts_with('$')).cloned().collect();
        lay(
            &mut value,
            &Value::Object(named.iter().filter_map(|key| Some((key.clone(), fields.get(key)?.clone()))).collect()),
        );
        // A value that was like another one is no less what it is.
        Known {
            kind: kind.unwrap_or(singular(key)).to_owned(),
            value: Some(value),
            named: if like.is_some() { Vec::new() } else { named },
        }
    }

    fn like(&self, kind: &str, with: Option<&Value>, variables: &Variables) -> Option<Value> {
        let Some(Value::Object(with)) = with else { return self.kind(kind, variables) };
        let mut own = variables.clone();
        own.extend(with.iter().map(|(name, value)| (name.clone(), substitute(value, variables))));
        self.kind(kind, &own)
    }

    fn kind(&self, name: &str, variables: &Variables) -> Option<Value> {
        let template = self.catalogue.matter["kinds"].get(name)?;
        match template.get("$like").and_then(Value::as_str) {
            Some(like) => self.like(like, template.get("$with"), variables),
            None => Some(substitute(template, variables)),
        }
    }

    /// `value` with every `$like` in it replaced by what it is like.
    fn expanded(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) if fields.contains_key("$like") => {
                let known = self.known("", Some(value), false).value;
                known.map_or(Value::Null, |known| self.expanded(&known))
            }
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(key, value)| (key.clone(), self.expanded(value))).collect())
            }
            Value::Array(items) => items.iter().map(|item| self.expanded(item)).collect(),
            other => other.clone(),
        }
    }

    fn nowhere(&self) -> Place {
        let (url, page) = (self.text("${api}/repos/${repo}"), self.text("${html}/${repo}"));
        Place {
            kind: "event".to_owned(),
            global: "Event".to_owned(),
            id: String::new(),
            number: String::new(),
            url,
            page,
        }
    }

    fn text(&self, template: &str) -> String {
        match substitute(&json!(template), self.variables) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }
}

/// The address that `key` holds in an object.
fn address(key: &str, place: &Place) -> String {
    match key.strip_suffix("_url") {
        None => place.url.clone(),
        Some("html" | "details" | "target") => place.page.clone(),
        Some(of) => format!("{}/{of}", place.url),
    }
}

/// `check_run` becomes `CheckRun`.
fn camel(name: &str) -> String {
    let word = |word: &str| word.chars().next().map(|first| first.to_ascii_uppercase().to_string() + &word[1..]);
    name.split('_').filter_map(word).collect()
}

fn plural(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if name.ends_with('s') => format!("{name}es"),
        None => format!("{name}s"),
    }
}

fn singular(key: &str) -> &str {
    key.strip_suffix('s').filter(|one| !one.ends_with('s')).unwrap_or(key)
}

/// Takes what is no object as an empty one.
trait IntoObject {
    fn into_object(self) -> Value;
}

impl IntoObject for Value {
    fn into_object(self) -> Value {
        if self.is_object() { self } else { nothing() }
    }
}
