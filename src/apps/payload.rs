//! A verified delivery as an app sees it, borrowed from the received bytes.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A verified delivery.
#[derive(Clone, Debug)]
pub struct Delivery<'a> {
    /// `X-GitHub-Event`.
    pub event: &'a str,
    /// `X-GitHub-Delivery`.
    pub guid: &'a str,
    /// `X-GitHub-Hook-ID`, or the empty string.
    pub hook_id: &'a str,
    /// What came.
    pub payload: Payload<'a>,
    /// The fields that every event may have.
    pub envelope: Envelope,
}

/// What came with a delivery.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// A JSON object, as text: from a JSON body, or from the `payload` field of a form.
    Json(Cow<'a, str>),
    /// A form without `payload`: name and value in order.
    Form(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

/// The fields that every event may have. Nothing is required: GitHub's own examples lack each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `action`.
    pub action: Option<String>,
    /// `repository.full_name`.
    pub repo: Option<String>,
    /// `installation.id`.
    pub installation_id: Option<i64>,
}

/// Why a verified body cannot be a delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not UTF-8.
    #[error("The body is not valid UTF-8.")]
    Encoding,
    /// Not JSON.
    #[error("The body is not valid JSON: {0}.")]
    Syntax(String),
    /// JSON, but not an object.
    #[error("The body is not a JSON object.")]
    NotAnObject,
}

impl<'a> Payload<'a> {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn json(body: &'a [u8]) -> Result<(Self, Envelope), PayloadError> {
        let text = std::str::from_utf8(body).map_err(|_| PayloadError::Encoding)?;
        let envelope = Envelope::read(text)?;
        Ok((Self::Json(Cow::Borrowed(text)), envelope))
    }

    /// Reads a form body: JSON in its `payload` field, or plain fields.
    ///
    /// # Errors
    /// When it is not UTF-8, or `payload` is not a JSON object.
    pub fn form(body: &'a [u8]) -> Result<(Self, Envelope), PayloadError> {
        std::str::from_utf8(body).map_err(|_| PayloadError::Encoding)?;
        let mut fields = Vec::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if name == "payload" {
                let envelope = Envelope::read(&value)?;
                return Ok((Self::Json(value), envelope));
            }
            fields.push((name, value));
        }
        let action = fields.iter().find(|(name, _)| name == "action").map(|(_, value)| clean(value));
        Ok((Self::Form(fields), Envelope { action, ..Envelope::default() }))
    }
}

/// Longest text that is kept of a field for listing and filtering, in characters.
const FIELD_MAX: usize = 256;

/// Text as both databases take it: no NUL (Postgres refuses it), no unbounded length.
fn clean(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(FIELD_MAX).collect()
}

impl Envelope {
    /// Takes the common fields from a JSON object, whatever else it holds. A field of another
    /// type than GitHub documents counts as absent: a delivery is never refused for its shape.
    fn read(text: &str) -> Result<Self, PayloadError> {
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            // Tell "not JSON" from "JSON, but not an object".
            return Err(match serde_json::from_str::<&RawValue>(text) {
                Ok(_) => PayloadError::NotAnObject,
                Err(error) => PayloadError::Syntax(error.to_string()),
            });
        }
        match serde_json::from_str::<Fields<'_>>(text) {
            Ok(fields) => Ok(fields.into()),
            // Repeated keys are legal JSON, but the derived reader refuses them: take the last.
            Err(_) => {
                let value: Value =
                    serde_json::from_str(text).map_err(|error| PayloadError::Syntax(error.to_string()))?;
                Ok(Self::from_value(&value))
            }
        }
    }

    fn from_value(value: &Value) -> Self {
        Self {
            action: value["action"].as_str().map(clean),
            repo: value["repository"]["full_name"].as_str().map(clean),
            installation_id: value["installation"]["id"].as_i64(),
        }
    }
}

/// The raw top-level fields, unread until needed.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    action: Option<&'a RawValue>,
    #[serde(borrow, default)]
    repository: Option<&'a RawValue>,
    #[serde(borrow, default)]
    installation: Option<&'a RawValue>,
}

impl From<Fields<'_>> for Envelope {
    fn from(fields: Fields<'_>) -> Self {
        #[derive(Deserialize)]
        struct Repository {
            full_name: String,
        }
        #[derive(Deserialize)]
        struct Installation {
            id: i64,
        }
        fn read<T: for<'de> Deserialize<'de>>(raw: Option<&RawValue>) -> Option<T> {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        }
        Self {
            action: read::<String>(fields.action).as_deref().map(clean),
            repo: read::<Repository>(fields.repository).map(|r| clean(&r.full_name)),
            installation_id: read::<Installation>(fields.installation).map(|i| i.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: &str) -> Result<Envelope, PayloadError> {
        Payload::json(body.as_bytes()).map(|(_, envelope)| envelope)
    }

    #[test]
    fn common_fields_are_found_and_none_is_required() {
        let full = envelope(r#"{"action":"opened","repository":{"full_name":"a/b","id":1},"installation":{"id":7}}"#);
        let expected = Envelope { action: Some("opened".into()), repo: Some("a/b".into()), installation_id: Some(7) };
        assert_eq!(full, Ok(expected));
        assert_eq!(envelope("{}"), Ok(Envelope::default()));
    }

    #[test]
    fn odd_but_valid_objects_are_taken() {
        let odd = [
            r#"{"action":5,"repository":"x","installation":[]}"#,
            r#"{"action":null,"repository":null,"installation":null}"#,
            r#"{"x":"\ud800","n":1e999}"#,
            " \n{}\t",
        ];
        for body in odd {
            assert_eq!(envelope(body), Ok(Envelope::default()), "{body}");
        }
        let repeated = envelope(r#"{"action":"a","action":"b"}"#).expect("legal JSON");
        assert_eq!(repeated.action.as_deref(), Some("b"));
        let nul = envelope(r#"{"action":"a\u0000b"}"#).expect("legal JSON");
        assert_eq!(nul.action.as_deref(), Some("ab"));
    }

    #[test]
    fn depth_does_not_overflow() {
        for depth in [200, 100_000, 2_000_000] {
            let body = format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(envelope(&body), Ok(Envelope::default()), "depth {depth}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for body in ["null", "[]", "\"x\"", "1", "[{}]"] {
            assert_eq!(envelope(body), Err(PayloadError::NotAnObject), "{body}");
        }
        for body in ["", "{", "{\"a\":}", "\u{feff}{}", "{} x", "payload=1"] {
            assert!(matches!(envelope(body), Err(PayloadError::Syntax(_))), "{body}");
        }
        assert_eq!(Payload::json(b"{\"a\":\"\xff\"}").map(|p| p.1), Err(PayloadError::Encoding));
    }

    #[test]
    fn forms_carry_json_or_fields() {
        let (payload, envelope) = Payload::form(b"payload=%7B%22action%22%3A%22x%22%7D").expect("form");
        assert!(matches!(payload, Payload::Json(text) if text == r#"{"action":"x"}"#));
        assert_eq!(envelope.action.as_deref(), Some("x"));
        let (payload, envelope) = Payload::form(b"action=completed&recipe_run_id=1").expect("form");
        assert!(matches!(payload, Payload::Form(fields) if fields.len() == 2));
        assert_eq!(envelope.action.as_deref(), Some("completed"));
        assert_eq!(Payload::form(b"payload=1").map(|p| p.1), Err(PayloadError::NotAnObject));
    }
}
