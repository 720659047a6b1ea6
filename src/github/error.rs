//! What can go wrong between us and GitHub.

use std::time::Duration;

use serde_json::Value;

/// An error of the GitHub client. Clones share nothing secret: there is nothing secret in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The private key or the issuer cannot make a JWT.
    #[error("cannot sign as the App: {0}")]
    Credentials(String),
    /// GitHub answered with an error status.
    #[error("{}", .0)]
    Status(Box<StatusError>),
    /// No answer: connection, TLS, time-out, or a body that broke off.
    #[error("{method} {path}: {reason}")]
    Transport {
        /// HTTP method of the call.
        method: String,
        /// Path of the call, without host.
        path: String,
        /// What happened, from the HTTP library, without credentials.
        reason: String,
    },
    /// GitHub answered success with a body that does not have the documented shape.
    #[error("{method} {path}: unexpected answer: {reason}")]
    Decode {
        /// HTTP method of the call.
        method: String,
        /// Path of the call, without host.
        path: String,
        /// What was wrong with the body.
        reason: String,
    },
    /// The App is not installed where it should act.
    #[error("the App is not installed on {0}")]
    NotInstalled(String),
    /// The call was refused here, before anything was sent: GitHub would never take it.
    #[error("invalid call: {0}")]
    Invalid(String),
}

impl Error {
    /// Whether the same call may succeed later without anybody mending anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Status(error) => {
                error.retry_after.is_some() || matches!(error.status, 408 | 429) || error.status >= 500
            }
            Self::Credentials(_) | Self::Decode { .. } | Self::NotInstalled(_) | Self::Invalid(_) => false,
        }
    }

    /// How long GitHub asks us to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(error) => error.retry_after,
            _ => None,
        }
    }

    /// HTTP status of the answer, when there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(error) => Some(error.status),
            _ => None,
        }
    }

    /// What it means for an App and which page mends it.
    pub fn explanation(&self) -> Option<&str> {
        match self {
            Self::Status(error) => error.explanation.as_deref(),
            _ => None,
        }
    }
}

/// An answer with an error status, with all that GitHub said about it.
#[derive(Clone, Debug)]
pub struct StatusError {
    /// HTTP method of the call.
    pub method: String,
    /// Path of the call, without host.
    pub path: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// GitHub's `message`.
    pub message: String,
    /// GitHub's `errors`, each on one line.
    pub errors: Vec<String>,
    /// GitHub's `documentation_url`.
    pub documentation_url: Option<String>,
    /// How long GitHub asks us to wait, for rate limits.
    pub retry_after: Option<Duration>,
    /// `X-Accepted-GitHub-Permissions`: what the call needs.
    pub accepted_permissions: Option<String>,
    /// What it means for an App and which page mends it ([`super::explain`]).
    pub explanation: Option<String>,
}

impl std::fmt::Display for StatusError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {} {}", self.method, self.path, self.status, self.message)?;
        for error in &self.errors {
            write!(f, "; {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StatusError {}

/// What the body of an error answer says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) message: String,
    pub(super) errors: Vec<String>,
    pub(super) documentation_url: Option<String>,
}

/// Reads the body of an error answer; one that is not GitHub's JSON (a proxy's page) says nothing.
pub(super) fn said(body: &[u8]) -> Said {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else { return Said::default() };
    let errors = match body.get("errors") {
        Some(Value::Array(errors)) => errors.iter().map(one_error).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![one_error(other)],
    };
    Said {
        message: body.get("message").and_then(Value::as_str).map(clean).unwrap_or_default(),
        errors,
        documentation_url: body.get("documentation_url").and_then(Value::as_str).map(clean),
    }
}

/// `Issue.title: missing_field`, or the message that came instead.
fn one_error(error: &Value) -> String {
    let field = |name: &str| error.get(name).and_then(Value::as_str);
    let place: Vec<&str> = [field("resource"), field("field")].into_iter().flatten().collect();
    let what = field("message").or_else(|| field("code"));
    match (place.is_empty(), what) {
        (true, Some(what)) => clean(what),
        (false, Some(what)) => clean(&format!("{}: {what}", place.join("."))),
        (_, None) => clean(error.as_str().unwrap_or(&error.to_string())),
    }
}

/// One line for a terminal: no control characters, no unbounded length.
fn clean(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    crate::util::text::truncate(line.trim(), 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_githubs_errors_becomes_lines() {
        let table: [(&str, &str, &[&str]); 8] = [
            (r#"{"message":"Not Found","documentation_url":"https://d"}"#, "Not Found", &[]),
            (
                r#"{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing_field"}]}"#,
                "Validation Failed",
                &["Issue.title: missing_field"],
            ),
            (
                r#"{"message":"x","errors":[{"resource":"R","code":"custom","message":"No commits"}, {"code":"custom"}]}"#,
                "x",
                &["R: No commits", "custom"],
            ),
            (r#"{"message":"x","errors":["one\ntwo", {"a":1}]}"#, "x", &["one two", r#"{"a":1}"#]),
            (r#"{"message":"x","errors":"only text"}"#, "x", &["only text"]),
            (r#"{"message":"esc\u001b[31m","errors":null}"#, "esc [31m", &[]),
            ("<html>502</html>", "", &[]),
            ("[]", "", &[]),
        ];
        for (body, message, errors) in table {
            let said = said(body.as_bytes());
            assert_eq!(
                (said.message.as_str(), said.errors),
                (message, errors.iter().map(|e| (*e).to_owned()).collect())
            );
        }
        assert_eq!(said(br#"{"documentation_url":"https://d"}"#).documentation_url.as_deref(), Some("https://d"));
    }

    #[test]
    fn what_passes_by_itself_is_transient() {
        let status = |status, retry_after| {
            Error::Status(Box::new(StatusError {
                method: "GET".into(),
                path: "/".into(),
                status,
                message: String::new(),
                errors: Vec::new(),
                documentation_url: None,
                retry_after,
                accepted_permissions: None,
                explanation: None,
            }))
        };
        for (code, transient) in [(401, false), (403, false), (404, false), (408, true), (422, false), (429, true)] {
            assert_eq!(status(code, None).is_transient(), transient, "{code}");
        }
        for code in [500, 502, 503, 504] {
            assert!(status(code, None).is_transient(), "{code}");
        }
        let limited = status(403, Some(Duration::from_secs(9)));
        assert!(limited.is_transient());
        assert_eq!(limited.retry_after(), Some(Duration::from_secs(9)));
        assert!(!Error::NotInstalled("a/b".into()).is_transient());
    }
}
