//! An error as a person sees it: what failed, why, and what to run next.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;

use serde_json::{Value, json};

use super::exit;
use crate::emulator::person::PersonError;
use crate::{github, secrets, store};

/// What kind of trouble it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The reader of our output went away. Not trouble at all.
    ClosedPipe,
    /// It did not work.
    Failure,
    /// The command line is wrong.
    Usage,
    /// The configuration is missing or wrong.
    Config,
    /// Not authenticated or not permitted.
    Auth,
    /// What was asked for does not exist.
    NotFound,
    /// The network, the server or GitHub failed.
    Upstream,
    /// Something does not decrypt or is not genuine.
    Integrity,
    /// A bug in pforge.
    Bug,
    /// The user interrupted.
    Interrupted,
    /// Everything was told already; only this exit code is left to say.
    Told(u8),
}

impl Kind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClosedPipe => "closed_pipe",
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::Config => "configuration",
            Self::Auth => "authentication",
            Self::NotFound => "not_found",
            Self::Upstream => "upstream",
            Self::Integrity => "integrity",
            Self::Bug => "bug",
            Self::Interrupted => "interrupted",
            Self::Told(_) => "told",
        }
    }
}

/// Result of a command.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// An error with its causes and what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of trouble.
    pub kind: Kind,
    /// What failed: a lowercase fragment.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to run next, each one command.
    pub tries: Vec<String>,
}

impl Error {
    /// An error without causes and without advice.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), tries: Vec::new() }
    }

    /// It did not work.
    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(Kind::Failure, message)
    }

    /// The command line is wrong in a way that the parser cannot see.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Ends the command with this exit code and without a further word.
    pub fn told(code: u8) -> Self {
        Self::new(Kind::Told(code), "told above")
    }

    /// The configuration is missing or wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Kind::Config, message)
    }

    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, cause: impl Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds `source` and everything that it was caused by.
    #[must_use]
    pub fn caused_by(mut self, source: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(source);
        while let Some(error) = next {
            let text = error.to_string();
            // Some libraries repeat the source in their own text.
            if !self.causes.iter().chain([&self.message]).any(|known| known.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds a command to run next.
    #[must_use]
    pub fn hint(mut self, command: impl Into<String>) -> Self {
        self.tries.push(command.into());
        self
    }

    /// Puts `message` in front; what was the message becomes the first cause.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        self.causes.insert(0, std::mem::replace(&mut self.message, message.into()));
        self
    }

    /// The one JSON object that stands for the error under `--json`.
    pub fn to_json(&self) -> Value {
        json!({ "error": {
            "kind": self.kind.name(),
            "message": self.message,
            "causes": self.causes,
            "try": self.tries,
            "exit_code": exit::code(self.kind),
        }})
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Kind::ClosedPipe, "the reader of the output went away"),
            _ => Self::failure(error.to_string()),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        use store::migrate::MigrateError;
        let base = |kind| Self::new(kind, error.to_string());
        match &error {
            store::Error::Url(_) => base(Kind::Config)
                .hint("export DATABASE_URL=sqlite:///$PWD/database.sqlite")
                .hint("export DATABASE_URL=postgres://USER@HOST/DATABASE"),
            store::Error::Unavailable(_) => base(Kind::Upstream).hint("pforge db wait"),
            store::Error::Migrate(MigrateError::Behind { .. }) => base(Kind::Config).hint("pforge db migrate"),
            store::Error::Migrate(MigrateError::Newer { .. }) => {
                base(Kind::Config).because("a newer pforge has migrated it; run that one").hint("pforge db status")
            }
            store::Error::Migrate(MigrateError::Drift { .. }) => base(Kind::Config)
                .because("a change of the schema belongs into a new migration")
                .hint("pforge db status"),
            store::Error::Migrate(MigrateError::Locked(_)) => base(Kind::Upstream).hint("pforge db status"),
            store::Error::Migrate(MigrateError::Failed { .. }) => base(Kind::Failure).hint("pforge db status"),
            store::Error::Migrate(MigrateError::NothingApplied) => base(Kind::Failure).hint("pforge db status"),
            store::Error::Conflict(_) | store::Error::ForeignKey(_) | store::Error::Other(_) => base(Kind::Failure),
        }
    }
}

impl From<github::Error> for Error {
    fn from(error: github::Error) -> Self {
        let kind = match &error {
            github::Error::Credentials(_) => Kind::Config,
            github::Error::NotInstalled(_) => Kind::Auth,
            github::Error::Invalid(_) => Kind::Failure,
            github::Error::Transport { .. } | github::Error::Decode { .. } => Kind::Upstream,
            github::Error::Status(answer) => match answer.status {
                401 | 403 if answer.retry_after.is_none() => Kind::Auth,
                404 | 410 => Kind::NotFound,
                400 | 405 | 406 | 409 | 413 | 415 | 422 => Kind::Failure,
                _ => Kind::Upstream,
            },
        };
        let explanation = match &error {
            github::Error::Status(answer) => answer.explanation.clone(),
            _ => None,
        };
        let told = Self::new(kind, error.to_string());
        explanation.map_or(told.clone(), |text| told.because(text))
    }
}

impl From<PersonError> for Error {
    fn from(error: PersonError) -> Self {
        Self::failure(error.to_string())
    }
}

impl From<secrets::Error> for Error {
    fn from(error: secrets::Error) -> Self {
        use secrets::Error as E;
        let kind = match &error {
            E::NotEncrypted | E::AlreadyEncrypted(_) | E::Syntax { .. } | E::Refused { .. } => Kind::Failure,
            E::Unsupported(_) => Kind::Failure,
            E::NoIdentity { .. } | E::Metadata(_) | E::Value { .. } | E::Mac(_) => Kind::Integrity,
            E::Recipient { .. } => Kind::Config,
            E::NoSuchPath(_) => Kind::NotFound,
            E::BadPath { .. } => Kind::Usage,
        };
        let problems = match &error {
            E::NoIdentity { problems, .. } => problems.clone(),
            _ => Vec::new(),
        };
        problems.iter().fold(Self::new(kind, error.to_string()), |told, problem| told.because(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Kind};

    #[test]
    fn context_goes_in_front() {
        let error = Error::config("inner").because("deepest").context("outer");
        assert_eq!((error.message.as_str(), error.causes), ("outer", vec!["inner".to_owned(), "deepest".to_owned()]));
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = std::io::Error::other("disk on fire");
        let error = Error::failure("cannot write: disk on fire").caused_by(&inner);
        assert!(error.causes.is_empty(), "{error:?}");
    }

    #[test]
    fn json_names_kind_and_code() {
        let value = Error::new(Kind::Integrity, "no").hint("pforge x").to_json();
        assert_eq!(value["error"]["kind"], "integrity");
        assert_eq!(value["error"]["exit_code"], 7);
        assert_eq!(value["error"]["try"][0], "pforge x");
    }
}
