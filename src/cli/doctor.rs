//! Everything that can be wrong with a deployment, looked at in one go.
//!
//! [`facts`] gathers, [`findings`] judges without touching anything, [`mend`] repairs what is safe
//! to repair. A new check is one function in [`findings`] and its line in the list there.

pub mod clock;
pub mod facts;
pub mod files;
pub mod findings;
pub mod mend;
pub mod tools;

use serde::Serialize;

use super::error::Kind;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Could not be looked at, or is good to know.
    Note,
    /// Works, and may not for long.
    Warning,
    /// Does not work.
    Error,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at, such as `clock`.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub fact: String,
    /// What to run, one command each.
    #[serde(rename = "try")]
    pub tries: Vec<String>,
    /// The repair that `--fix` makes.
    #[serde(skip)]
    pub mend: Option<mend::Mend>,
    /// What kind of trouble an error is, for the exit code.
    #[serde(skip)]
    pub kind: Kind,
}

impl Finding {
    fn new(check: &'static str, severity: Severity, fact: impl Into<String>) -> Self {
        Self { check, severity, fact: fact.into(), tries: Vec::new(), mend: None, kind: Kind::Failure }
    }

    /// As it should be.
    pub fn ok(check: &'static str, fact: impl Into<String>) -> Self {
        Self::new(check, Severity::Ok, fact)
    }

    /// Good to know.
    pub fn note(check: &'static str, fact: impl Into<String>) -> Self {
        Self::new(check, Severity::Note, fact)
    }

    /// Works, and may not for long.
    pub fn warning(check: &'static str, fact: impl Into<String>) -> Self {
        Self::new(check, Severity::Warning, fact)
    }

    /// Does not work.
    pub fn error(check: &'static str, kind: Kind, fact: impl Into<String>) -> Self {
        Self { kind, ..Self::new(check, Severity::Error, fact) }
    }

    /// An error of the command line's own kind, with its causes and advice.
    pub fn of(check: &'static str, error: &super::error::Error) -> Self {
        let fact = error.causes.iter().fold(error.message.clone(), |fact, cause| format!("{fact}: {cause}"));
        Self { tries: error.tries.clone(), ..Self::error(check, error.kind, fact) }
    }

    /// Adds a command to run.
    #[must_use]
    pub fn hint(mut self, command: impl Into<String>) -> Self {
        self.tries.push(command.into());
        self
    }

    /// Adds the repair of `--fix`.
    #[must_use]
    pub fn mended_by(mut self, mend: mend::Mend) -> Self {
        self.mend = Some(mend);
        self
    }
}
