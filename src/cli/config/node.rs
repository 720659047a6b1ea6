//! Typed access to a part of the config, with errors that say where and never what.
//!
//! Not serde's derive: its messages repeat the offending value, which may be a key.

use serde::de::DeserializeOwned;
use serde_yaml::{Mapping, Value};

use crate::cli::error::{Error, Result};
use crate::util::Secret;

/// A place in the config.
#[derive(Clone)]
pub struct Node<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    /// The top-level entry `name`, unless it is missing or null.
    pub fn top(document: &'a Value, name: &str) -> Option<Self> {
        Self { path: String::new(), value: document }.get(name)
    }

    /// The entry `name` below, unless it is missing or null.
    pub fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Some(Self { path, value })
    }

    /// The entry `name` below.
    ///
    /// # Errors
    /// When it is missing.
    pub fn need(&self, name: &str) -> Result<Self> {
        self.get(name).ok_or_else(|| Error::config(format!("{}.{name} is missing", self.path)))
    }

    /// This place, if it is a mapping.
    ///
    /// # Errors
    /// When it is something else.
    pub fn section(self) -> Result<Self> {
        if self.value.is_mapping() { Ok(self) } else { Err(self.wrong("a mapping")) }
    }

    /// Text that is not empty.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&self) -> Result<String> {
        match self.value {
            Value::String(text) if text.trim().is_empty() => Err(Error::config(format!("{} is empty", self.path))),
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) => Err(Error::config(format!("{} is a number: put it in quotes", self.path))),
            _ => Err(self.wrong("text")),
        }
    }

    /// Secret text that is not empty.
    ///
    /// # Errors
    /// When it is something else.
    pub fn secret(&self) -> Result<Secret> {
        self.text().map(Secret::new)
    }

    /// A PEM private key.
    ///
    /// # Errors
    /// When it has not even the outer form of one.
    pub fn pem(&self) -> Result<Secret> {
        let text = self.text()?;
        let lines = text.trim();
        if lines.starts_with("-----BEGIN ") && lines.contains("PRIVATE KEY-----\n") && lines.ends_with("-----") {
            return Ok(Secret::new(text));
        }
        Err(Error::config(format!("{} is not a private key in PEM form", self.path)).because(
            "it must be a block of lines, from -----BEGIN RSA PRIVATE KEY----- to -----END RSA PRIVATE KEY-----",
        ))
    }

    /// A number that is not negative; also accepted as text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn count(&self) -> Result<u64> {
        match self.value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.wrong("a whole number"))
    }

    /// A list; each item is read by `read`.
    ///
    /// # Errors
    /// When it is something else, or an item is.
    pub fn list<T>(&self, read: impl Fn(&Node<'a>) -> Result<T>) -> Result<Vec<T>> {
        let items = self.value.as_sequence().ok_or_else(|| self.wrong("a list"))?;
        let item = |(number, value)| read(&Node { path: format!("{}[{number}]", self.path), value });
        items.iter().enumerate().map(item).collect()
    }

    /// Text, a number, true or false, as text, for settings that also have a flag.
    ///
    /// # Errors
    /// When it is something else.
    pub fn scalar(&self) -> Result<String> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(yes) => Ok(yes.to_string()),
            _ => Err(self.wrong("text or a number")),
        }
    }

    /// A list of texts, or one text, with commas between: for settings that also have a flag.
    ///
    /// # Errors
    /// When it is something else.
    pub fn texts(&self) -> Result<String> {
        if self.value.is_sequence() { Ok(self.list(Node::text)?.join(",")) } else { self.scalar() }
    }

    /// A section that another room reads itself, by serde; every key of it must have a default.
    ///
    /// # Errors
    /// When it does not fit. Names the key and what was expected, not what was found.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        let error = match serde_yaml::from_value(self.value.clone()) {
            Ok(value) => return Ok(value),
            Err(error) => error.to_string(),
        };
        let alone = |(key, value): (&Value, &Value)| {
            let section = Mapping::from_iter([(key.clone(), value.clone())]);
            let bad = serde_yaml::from_value::<T>(Value::Mapping(section)).is_err();
            key.as_str().filter(|_| bad).map(|key| format!("{}.{key}", self.path))
        };
        let place = self.value.as_mapping().and_then(|map| map.iter().find_map(alone));
        let told = Error::config(format!("{} is not valid", place.unwrap_or_else(|| self.path.clone())));
        Err(match error.split_once(", expected ") {
            Some((_, expected)) => told.because(format!("expected {expected}")),
            None => told.because(error),
        })
    }

    fn wrong(&self, expected: &str) -> Error {
        let found = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
            Value::Tagged(_) => "a tagged value",
        };
        Error::config(format!("{} must be {expected}, but is {found}", self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Value};

    #[test]
    fn errors_name_the_place_and_never_the_value() {
        let document: Value =
            serde_yaml::from_str("a: {n: hunter2, t: 5150, e: ' ', l: hunter2, k: hunter2, m: [x, 7]}").expect("yaml");
        let a = Node::top(&document, "a").expect("a");
        let at = |name: &str| a.need(name).expect("there");
        let errors = [
            at("n").count().expect_err("n").message,
            at("t").text().expect_err("t").message,
            at("e").text().expect_err("e").message,
            at("l").list(Node::text).expect_err("l").message,
            at("k").pem().expect_err("k").message,
            at("m").list(Node::text).expect_err("m").message,
            at("n").section().err().expect("n").message,
            a.need("missing").err().expect("missing").message,
        ];
        let expected = [
            "a.n must be a whole number, but is text",
            "a.t is a number: put it in quotes",
            "a.e is empty",
            "a.l must be a list, but is text",
            "a.k is not a private key in PEM form",
            "a.m[1] is a number: put it in quotes",
            "a.n must be a mapping, but is text",
            "a.missing is missing",
        ];
        assert_eq!(errors, expected.map(str::to_owned));
    }
}
