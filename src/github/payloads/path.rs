//! Where in a payload: `pull_request.labels[0].name`.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// A way from the root of a payload to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a path such as pull_request.labels[0].name")]
pub struct PathError {
    /// The text.
    pub text: String,
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError { text: text.to_owned() };
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            // `["any key"]`, `[0]`, or a plain key.
            if let Some(inside) = rest.strip_prefix('[') {
                if inside.starts_with('"') {
                    let mut keys = serde_json::Deserializer::from_str(inside).into_iter::<String>();
                    let key = keys.next().and_then(Result::ok).ok_or_else(wrong)?;
                    rest =
                        inside.get(keys.byte_offset()..).and_then(|rest| rest.strip_prefix(']')).ok_or_else(wrong)?;
                    steps.push(Step::Key(key));
                } else {
                    let (index, after) = inside.split_once(']').ok_or_else(wrong)?;
                    steps.push(Step::Index(index.parse().map_err(|_| wrong())?));
                    rest = after;
                }
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (key, after) = rest.split_at(end);
                if key.is_empty() || key.chars().any(|c| c.is_whitespace() || c == ']') {
                    return Err(wrong());
                }
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            }
            if rest.is_empty() {
                return Ok(Self(steps));
            }
            if !rest.starts_with('[') {
                rest = rest.strip_prefix('.').filter(|rest| !rest.starts_with('[')).ok_or_else(wrong)?;
            }
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.is_empty() || key.contains(['.', '[', ']', ' ', '"']) => {
                    write!(f, "[{}]", Value::from(key.as_str()))?
                }
                Step::Key(key) if place == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// What is there in `value`.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }

    /// The same, to change it.
    pub fn find_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get_mut(key),
            Step::Index(index) => value.get_mut(index),
        })
    }

    /// The last key, and the way to what holds it; `None` when it ends in a list.
    pub fn last_key(&self) -> Option<(Self, &str)> {
        match self.0.split_last()? {
            (Step::Key(key), above) => Some((Self(above.to_vec()), key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_are_read_and_written() {
        for text in ["a", "a.b", "a[0]", "a[0].b", "a[0][12].b-c", "client_payload[\"a.b\"].c", "[\"x y\"]"] {
            assert_eq!(text.parse::<Path>().expect(text).to_string(), text);
        }
        for text in ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a]", "a b", "a.[0]", "a[0]b", "a[\"x]"] {
            assert!(text.parse::<Path>().is_err(), "{text:?}");
        }
    }
}
