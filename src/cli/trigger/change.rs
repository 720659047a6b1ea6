//! `PATH=VALUE` from the command line, and what is wrong with one.

use std::fs;

use serde_json::Value;

use crate::cli::error::{Error, Kind, Result};
use crate::github::payloads::{ChangeError, Draft, Given, Path, PathError, Unknown};

/// Keys that are listed when one is wrong.
const LISTED: usize = 40;

/// A change of a payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Sets a value.
    Set(Path, Given),
    /// Takes one away.
    Unset(Path),
}

impl Change {
    /// Reads `PATH=VALUE`.
    ///
    /// # Errors
    /// When there is no `=`, or no path before it.
    pub fn text(argument: &str) -> Result<Self> {
        let (path, value) = halves(argument, "--set")?;
        Ok(Self::Set(path, Given::Text(value.to_owned())))
    }

    /// Reads `PATH=JSON` or `PATH=@FILE`.
    ///
    /// # Errors
    /// When it is neither, or the file cannot be read.
    pub fn json(argument: &str) -> Result<Self> {
        let (path, value) = halves(argument, "--set-json")?;
        let text = match value.strip_prefix('@') {
            Some(file) => fs::read_to_string(file)
                .map_err(|error| Error::failure(format!("cannot read {file}")).caused_by(&error))?,
            None => value.to_owned(),
        };
        let json: Value = serde_json::from_str(&text).map_err(|error| {
            let told = Error::usage(format!("the value for {path} is not JSON")).because(error);
            told.hint(format!("pforge trigger … --set {path}=VALUE"))
        })?;
        Ok(Self::Set(path, Given::Json(json)))
    }

    /// Reads `PATH`.
    ///
    /// # Errors
    /// When it is none.
    pub fn unset(argument: &str) -> Result<Self> {
        Ok(Self::Unset(argument.parse()?))
    }

    /// Changes `draft`.
    ///
    /// # Errors
    /// When there is nothing at the path, or it cannot have the value.
    pub fn apply(&self, draft: &mut Draft<'_>) -> Result {
        match self {
            Self::Set(path, given) => draft.set(path, given)?,
            Self::Unset(path) => draft.unset(path)?,
        }
        Ok(())
    }
}

fn halves<'a>(argument: &'a str, flag: &str) -> Result<(Path, &'a str)> {
    let (path, value) = argument
        .split_once('=')
        .ok_or_else(|| Error::usage(format!("{flag} {argument}: there is no =")).because("it takes PATH=VALUE"))?;
    Ok((path.parse()?, value))
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        let told = Self::usage(error.to_string());
        match error {
            ChangeError::NoSuchKey { at, near, keys, .. } => {
                let told = match near.as_slice() {
                    [] => told,
                    near => told.because(format!("did you mean {}?", near.join(", "))),
                };
                let more = if keys.len() > LISTED { ", …" } else { "" };
                let keys = keys.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
                told.because(if keys.is_empty() { format!("{at} is empty") } else { format!("{at} has {keys}{more}") })
            }
            ChangeError::NotAChoice { path, choices, .. } => told
                .because(format!("it may be {}", choices.join(", ")))
                .hint(format!("pforge trigger … --set-json '{path}=\"…\"'   # any value")),
            ChangeError::WrongType { path, .. } => {
                told.hint(format!("pforge trigger … --set-json '{path}=…'   # a value of any type"))
            }
            ChangeError::NoSuchPlace { .. } | ChangeError::NoRepository => told,
        }
    }
}

impl From<Unknown> for Error {
    fn from(error: Unknown) -> Self {
        let message = error.to_string();
        match error {
            Unknown::Event { near, .. } => {
                let told = Self::usage(message);
                let told =
                    if near.is_empty() { told } else { told.because(format!("did you mean {}?", near.join(", "))) };
                told.hint("pforge trigger --list")
            }
            Unknown::Action { event, near, actions, .. } => {
                let told = Self::usage(message);
                let told =
                    if near.is_empty() { told } else { told.because(format!("did you mean {}?", near.join(", "))) };
                let told = told.because(match actions.as_slice() {
                    [] => format!("{event} has no actions at all"),
                    actions => format!("its actions are {}", actions.join(", ")),
                });
                told.hint(format!("pforge trigger --list {event}"))
            }
            Unknown::Damaged(_) => Self::new(Kind::Bug, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Given};

    #[test]
    fn values_may_hold_anything() {
        for (text, path, value) in [("a.b=c", "a.b", "c"), ("a=b=c", "a", "b=c"), ("a=", "a", ""), ("a=@x", "a", "@x")]
        {
            let change = Change::text(text).expect(text);
            assert_eq!(change, Change::Set(path.parse().expect("path"), Given::Text(value.to_owned())));
        }
        for text in ["a", "=x", "a..b=c"] {
            assert!(Change::text(text).is_err(), "{text}");
        }
        assert!(Change::json("a={").is_err());
    }
}
