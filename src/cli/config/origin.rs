//! A value and where it came from.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::env::Env;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Origin {
    /// A flag of the command line.
    Flag {
        /// The flag.
        name: &'static str,
    },
    /// An environment variable.
    Env {
        /// The variable.
        name: &'static str,
    },
    /// The config file.
    File {
        /// Its path.
        path: PathBuf,
        /// The key in it.
        key: &'static str,
        /// Whether it is encrypted.
        #[serde(skip)]
        encrypted: bool,
    },
    /// Nobody said anything.
    Default,
}

impl Origin {
    /// A command that changes it, or tells how.
    pub fn remedy(&self) -> String {
        match self {
            Self::File { path, encrypted: true, .. } => format!("pforge secrets edit {}", path.display()),
            Self::File { path, .. } => format!("${{EDITOR:-vi}} {}", path.display()),
            Self::Env { name } => format!("unset {name}"),
            Self::Flag { .. } | Self::Default => "pforge config show".to_owned(),
        }
    }

    /// The exact thing to change: flag, variable, or file and key.
    pub fn named(&self) -> String {
        match self {
            Self::File { path, key, .. } => format!("{}: {key}", path.display()),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { name } => f.write_str(name),
            Self::Env { name } => write!(f, "${name}"),
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value that nobody set.
    pub fn default(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }

    /// A value from the flag `name`.
    pub fn flag(value: T, name: &'static str) -> Self {
        Self { value, origin: Origin::Flag { name } }
    }

    /// The same origin with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: change(self.value), origin: self.origin }
    }
}

/// The first of flag, environment and file that says something.
pub fn pick(
    flag: Option<(&'static str, String)>,
    env: (&Env, &'static str),
    file: Option<Sourced<String>>,
) -> Option<Sourced<String>> {
    flag.map(|(name, value)| Sourced::flag(value, name))
        .or_else(|| {
            env.0.get(env.1).map(|value| Sourced { value: value.to_owned(), origin: Origin::Env { name: env.1 } })
        })
        .or(file)
}

#[cfg(test)]
mod tests {
    use super::{Env, Origin, Sourced, pick};

    #[test]
    fn flag_beats_environment_beats_file() {
        let file = || Sourced {
            value: "file".to_owned(),
            origin: Origin::File { path: "c.yaml".into(), key: "k", encrypted: false },
        };
        for (flag, env, in_file, expected) in [
            (true, "env", true, Some("flag")),
            (true, "env", false, Some("flag")),
            (true, "", false, Some("flag")),
            (false, "env", true, Some("env")),
            (false, "env", false, Some("env")),
            // Set but empty is not set.
            (false, "", true, Some("file")),
            (false, "", false, None),
        ] {
            let env = Env::from([("NAME", env)]);
            let picked = pick(flag.then(|| ("--flag", "flag".to_owned())), (&env, "NAME"), in_file.then(file));
            assert_eq!(picked.as_ref().map(|picked| picked.value.as_str()), expected);
            let origin = match expected {
                Some("flag") => Some(Origin::Flag { name: "--flag" }),
                Some("env") => Some(Origin::Env { name: "NAME" }),
                Some(_) => Some(file().origin),
                None => None,
            };
            assert_eq!(picked.map(|picked| picked.origin), origin);
        }
    }
}
