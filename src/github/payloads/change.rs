//! A payload that can still be changed: at paths that exist, with values of the right type, and so
//! that what belongs together stays together.

use serde_json::{Map, Value};

use super::fill::Filler;
use super::path::{Path, Step};
use super::shapes::{Catalogue, Kind, Scalar, Unknown};
use super::world::{Variables, World};
use super::{nearest, relink};

/// Why a payload cannot be changed like that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such key.
    #[error("{path}: there is no {key} in {at}")]
    NoSuchKey {
        /// The whole path.
        path: String,
        /// The key that is missing.
        key: String,
        /// Where it is missing.
        at: String,
        /// What may have been meant, as whole paths.
        near: Vec<String>,
        /// What there is.
        keys: Vec<String>,
    },
    /// The path goes on below something that has nothing below it, or past the end of a list.
    #[error("{path}: {at} {why}")]
    NoSuchPlace {
        /// The whole path.
        path: String,
        /// How far it leads.
        at: String,
        /// Why it leads no further.
        why: String,
    },
    /// The value has the wrong type.
    #[error("{path} must be {expected}, not {value}")]
    WrongType {
        /// The path.
        path: String,
        /// What it must be.
        expected: String,
        /// What was given.
        value: String,
    },
    /// The value is none of those that it may be.
    #[error("{path} cannot be {value}")]
    NotAChoice {
        /// The path.
        path: String,
        /// What was given.
        value: String,
        /// What it may be.
        choices: Vec<String>,
    },
    /// The payload names no repository.
    #[error("the payload names no repository that could be renamed")]
    NoRepository,
}

/// A value as a person gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A text, whose type the description decides.
    Text(String),
    /// Any JSON, taken as it is.
    Json(Value),
}

/// A payload that can still be changed.
#[derive(Debug)]
pub struct Draft<'c> {
    catalogue: &'c Catalogue,
    variables: Variables,
    event: String,
    root: Option<usize>,
    payload: Value,
}

impl<'c> Draft<'c> {
    /// The payload of `event` with `action`, in `world`.
    ///
    /// # Errors
    /// When there is no such event or action.
    pub fn new(catalogue: &'c Catalogue, event: &str, action: Option<&str>, world: &World) -> Result<Self, Unknown> {
        let event = catalogue.event(event)?;
        let root = catalogue.root(event, action)?;
        let variables = world.variables();
        let payload = Filler { catalogue, variables: &variables }.payload(event, action, root);
        Ok(Self { catalogue, variables, event: event.to_owned(), root: Some(root), payload })
    }

    /// A payload that was received. What the description does not know of it can be changed where
    /// it is.
    pub fn of(catalogue: &'c Catalogue, event: &str, payload: Value, world: &World) -> Self {
        let root = catalogue.root(event, payload["action"].as_str()).ok();
        Self { catalogue, variables: world.variables(), event: event.to_owned(), root, payload }
    }

    /// The event.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The payload.
    pub fn payload(&self) -> &Value {
        &self.payload
    }

    /// Sets what is at `path`, and what follows from it.
    ///
    /// # Errors
    /// When there is nothing at the path, or it cannot have that value; the payload is as it was.
    pub fn set(&mut self, path: &Path, given: &Given) -> Result<(), ChangeError> {
        let mut payload = self.payload.clone();
        let (old, new) = self.place(&mut payload, self.root, path, 0, given)?;
        if old != new {
            relink::follow(&mut payload, path, &old, &new);
        }
        self.payload = payload;
        Ok(())
    }

    /// Takes away what is at `path`.
    ///
    /// # Errors
    /// When there is nothing.
    pub fn unset(&mut self, path: &Path) -> Result<(), ChangeError> {
        let (last, above) = path.0.split_last().ok_or(ChangeError::NoRepository)?;
        let above = Path(above.to_vec());
        let removed = above.find_mut(&mut self.payload).and_then(|value| match (last, value) {
            (Step::Key(key), Value::Object(fields)) => fields.shift_remove(key),
            (Step::Index(index), Value::Array(items)) if *index < items.len() => Some(items.remove(*index)),
            _ => None,
        });
        if removed.is_some() {
            return Ok(());
        }
        let there = above.find(&self.payload).and_then(Value::as_object).cloned().unwrap_or_default();
        let Step::Key(key) = last else { return Err(no_place(path, path.0.len() - 1, "has no such item")) };
        Err(no_key(path, path.0.len() - 1, key, &there, &[]))
    }

    /// Calls the repository `full_name` wherever it is named.
    ///
    /// # Errors
    /// [`ChangeError::NoRepository`].
    pub fn rename_repository(&mut self, full_name: &str) -> Result<(), ChangeError> {
        let places = ["repository", "repositories", "repositories_added", "repositories_removed"];
        let name = |place| {
            let found: &Value = self.payload.get(place)?;
            found.get(0).unwrap_or(found).get("full_name")?.as_str().map(str::to_owned)
        };
        let old = places.into_iter().find_map(name).ok_or(ChangeError::NoRepository)?;
        relink::rename(&mut self.payload, &old, full_name);
        Ok(())
    }

    /// Puts the value in its place below `value`; what was there, and what is there now.
    fn place(
        &self,
        value: &mut Value,
        node: Option<usize>,
        path: &Path,
        at: usize,
        given: &Given,
    ) -> Result<(Value, Value), ChangeError> {
        let Some(step) = path.0.get(at) else {
            let new = self.typed(node, path, value, given)?;
            return Ok((std::mem::replace(value, new.clone()), new));
        };
        let shape = node.map(|node| self.catalogue.node(node));
        let filler = Filler { catalogue: self.catalogue, variables: &self.variables };
        if value.is_null()
            && let Some(node) = node
        {
            *value = filler.part(node, held_by(path, at));
        }
        match (step, value) {
            (Step::Key(key), Value::Object(fields)) => {
                let (known, open): (&[_], _) = match shape.map(|shape| &shape.kind) {
                    Some(Kind::Object(fields)) => (fields, false),
                    Some(Kind::Map(values)) => (&[], Some(*values).is_some()),
                    _ => (&[], fields.is_empty() && at > 0),
                };
                let below = match shape.map(|shape| &shape.kind) {
                    Some(Kind::Map(values)) => *values,
                    _ => known.iter().find(|field| field.key == *key).map(|field| field.node),
                };
                if !fields.contains_key(key) {
                    if below.is_none() && !open {
                        let known: Vec<&str> = known.iter().map(|field| field.key.as_str()).collect();
                        return Err(no_key(path, at, key, fields, &known));
                    }
                    // Further down there must be something to change.
                    let last = path.0.len() == at + 1;
                    let part = match below {
                        Some(node) if !last => filler.part(node, key),
                        None if !last => Value::Object(Map::new()),
                        _ => Value::Null,
                    };
                    fields.insert(key.clone(), part);
                }
                let inner = fields.entry(key.clone()).or_insert(Value::Null);
                self.place(inner, below, path, at + 1, given)
            }
            (Step::Index(index), Value::Array(items)) => {
                let below = match shape.map(|shape| &shape.kind) {
                    Some(Kind::List(items, _)) => Some(*items),
                    _ => None,
                };
                if *index == items.len()
                    && let Some(node) = below
                {
                    items.push(filler.part(node, held_by(path, at)));
                }
                let count = items.len();
                let inner = items.get_mut(*index);
                let inner =
                    inner.ok_or_else(|| no_place(path, at, &format!("has {count} items, the first one is [0]")))?;
                self.place(inner, below, path, at + 1, given)
            }
            (Step::Key(_), Value::Array(_)) => Err(no_place(path, at, "is a list: write [0] for its first item")),
            (_, other) => Err(no_place(path, at, &format!("is {}, with nothing below it", called(other)))),
        }
    }

    /// The value that `given` means at a place of this shape.
    fn typed(&self, node: Option<usize>, path: &Path, old: &Value, given: &Given) -> Result<Value, ChangeError> {
        let text = match given {
            Given::Json(value) => return Ok(value.clone()),
            Given::Text(text) => text,
        };
        let json: Option<Value> = serde_json::from_str(text).ok();
        let wrong = |expected: &str| ChangeError::WrongType {
            path: path.to_string(),
            expected: expected.to_owned(),
            value: format!("“{text}”"),
        };
        let Some(shape) = node.map(|node| self.catalogue.node(node)) else {
            // Only what is there tells the type.
            return match (old, json) {
                (Value::String(_), _) => Ok(Value::from(text.as_str())),
                (Value::Null, json) => Ok(json.unwrap_or_else(|| Value::from(text.as_str()))),
                (old, Some(json)) if std::mem::discriminant(old) == std::mem::discriminant(&json) => Ok(json),
                (old, _) => Err(wrong(called(old))),
            };
        };
        if shape.nullable && text == "null" {
            return Ok(Value::Null);
        }
        match &shape.kind {
            Kind::Scalar(scalar) => match scalar_of(scalar, text, json) {
                None => Err(wrong(&expected(scalar))),
                Some(value) if scalar.takes(&value) => Ok(value),
                Some(_) => Err(ChangeError::NotAChoice {
                    path: path.to_string(),
                    value: format!("“{text}”"),
                    choices: scalar.choices.iter().map(plain).collect(),
                }),
            },
            Kind::Object(_) | Kind::Map(_) => json.filter(Value::is_object).ok_or_else(|| wrong("an object, as JSON")),
            Kind::List(..) => json.filter(Value::is_array).ok_or_else(|| wrong("a list, as JSON")),
        }
    }
}

/// The value of the right type that `text` means, if there is one.
fn scalar_of(scalar: &Scalar, text: &str, json: Option<Value>) -> Option<Value> {
    let any = Scalar { types: scalar.types.clone(), ..Scalar::default() };
    // A number is one where it may be.
    let other = json.filter(|json| !json.is_string() && any.takes(json));
    other.or_else(|| Some(Value::from(text)).filter(|value| any.takes(value)))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn expected(scalar: &Scalar) -> String {
    let name = |letter| match letter {
        'i' => "a whole number",
        'n' => "a number",
        'b' => "true or false",
        _ => "a text",
    };
    scalar.types.chars().map(name).collect::<Vec<_>>().join(" or ")
}

fn called(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The key that holds what the step `at` leads into.
fn held_by(path: &Path, at: usize) -> &str {
    let above = path.0.iter().take(at).rev();
    above
        .into_iter()
        .find_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None })
        .unwrap_or_default()
}

fn up_to(path: &Path, at: usize) -> String {
    if at == 0 { "the payload".to_owned() } else { Path(path.0[..at].to_vec()).to_string() }
}

fn no_place(path: &Path, at: usize, why: &str) -> ChangeError {
    ChangeError::NoSuchPlace { path: path.to_string(), at: up_to(path, at), why: why.to_owned() }
}

fn no_key(path: &Path, at: usize, key: &str, there: &Map<String, Value>, known: &[&str]) -> ChangeError {
    let mut keys: Vec<&str> = there.keys().map(String::as_str).chain(known.iter().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    let instead = |near: String| {
        let mut steps = path.0.clone();
        if let Some(step) = steps.get_mut(at) {
            *step = Step::Key(near);
        }
        Path(steps).to_string()
    };
    ChangeError::NoSuchKey {
        path: path.to_string(),
        key: key.to_owned(),
        at: up_to(path, at),
        near: nearest(key, keys.iter().copied()).into_iter().map(instead).collect(),
        keys: keys.into_iter().map(str::to_owned).collect(),
    }
}
