//! An event as listeners get it: one line of JSON with the headers, the body, the query and the
//! time at its top level, as smee writes it.
//!
//! smee parses the body and prints it again, which breaks signatures. Here the posted bytes are
//! put into the line as they are. What cannot stand there (line ends, white space around it, what
//! is not JSON) arrives exactly only as `bodyB`, its base64, for those who ask for that: a
//! smee-client would send an unknown key on as a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::log::Draft;
use super::record::{Form, Record};
use crate::github::headers;
use crate::proxy::envelope::{self, EnvelopeError, Recipient};
use crate::proxy::hop::is_hop;

/// The keys of an event that are not headers.
const OWN: [&str; 3] = ["body", "query", "timestamp"];

/// All of an event but its body; stored as JSON.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Head {
    /// Names in lower case; the values of a repeated one are joined.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// Of the URL that was posted to.
    #[serde(default)]
    pub query: Map<String, Value>,
}

/// What to tell about an event in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gist {
    /// `event.action`, as far as known.
    pub event: String,
    /// `owner/name`.
    pub repo: String,
    /// `X-GitHub-Delivery`.
    pub guid: String,
}

impl Head {
    /// The head of a request.
    pub fn new(request: &HeaderMap, query: Option<&str>) -> Self {
        let mut headers = Map::new();
        for name in request.keys().filter(|name| !is_hop(name.as_str()) && !OWN.contains(&name.as_str())) {
            let values = request.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            headers.insert(name.as_str().to_owned(), values.collect::<Vec<_>>().join(", ").into());
        }
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
        Self { headers, query: pairs.into_iter().map(|(name, value)| (name, value.into())).collect() }
    }

    /// The value of a header; nothing when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn encode(&self) -> Bytes {
        json!({ "headers": self.headers, "query": self.query }).to_string().into()
    }

    fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// The line for listeners, with the body or with its base64.
    fn line(&self, at: u64, body: &[u8], exact: bool) -> String {
        let query = Value::from(self.query.clone());
        let head = Value::from(self.headers.clone()).to_string();
        let mut line = head.strip_suffix('}').unwrap_or("{").to_owned();
        if !self.headers.is_empty() {
            line.push(',');
        }
        line += if exact { "\"bodyB\":\"" } else { "\"body\":" };
        if exact {
            STANDARD.encode_string(body, &mut line);
            line.push('"');
        } else {
            embed(body, &mut line);
        }
        line + &format!(",\"query\":{query},\"timestamp\":{at}}}")
    }
}

/// Puts `body` into a line of JSON: as it is when it is JSON, else as a string.
fn embed(body: &[u8], line: &mut String) {
    match serde_json::from_slice::<&RawValue>(body) {
        // Line ends stand between tokens only: a JSON string cannot hold one.
        Ok(raw) => line.extend(raw.get().chars().filter(|c| !matches!(c, '\r' | '\n'))),
        Err(_) => *line += &Value::from(String::from_utf8_lossy(body)).to_string(),
    }
}

/// What is stored of a posted event. With a recipient, all but the name of the event is sealed.
///
/// # Errors
/// When it cannot be sealed.
pub fn draft(head: &Head, at: u64, body: Bytes, recipient: Option<&Recipient>) -> Result<Draft, EnvelopeError> {
    let Some(recipient) = recipient else { return Ok(Draft { form: Form::Plain, head: head.encode(), body }) };
    let sealed = envelope::seal(recipient, head.line(at, &body, true).as_bytes())?;
    let shown = match head.header(headers::EVENT) {
        "" => Map::new(),
        event => Map::from_iter([(headers::EVENT.to_owned(), event.into())]),
    };
    let head = Head { headers: shown, query: Map::new() };
    Ok(Draft { form: Form::Sealed, head: head.encode(), body: sealed.into() })
}

/// A stored event as one message of an event stream. With `exact` the body is there as base64.
pub fn message(record: &Record, exact: bool) -> Bytes {
    let head = Head::decode(&record.head);
    let (name, line) = match record.form {
        Form::Plain => ("", head.line(record.at, &record.body, exact)),
        // Named, so that clients that know nothing of it do not forward it.
        Form::Sealed => {
            let mut fields = head.headers;
            fields.insert("timestamp".to_owned(), record.at.into());
            fields.insert("age".to_owned(), STANDARD.encode(&record.body).into());
            ("event: sealed\n", Value::from(fields).to_string())
        }
    };
    format!("id: {}\n{name}data: {line}\n\n", record.id).into()
}

/// Takes a line for listeners apart again: what smee's page posts to have an event sent once more.
/// `None` when it is none.
pub fn parse(line: &[u8]) -> Option<(Head, Bytes)> {
    #[derive(Deserialize)]
    struct Bodies<'a> {
        #[serde(borrow)]
        body: Option<&'a RawValue>,
        #[serde(rename = "bodyB")]
        base64: Option<String>,
    }
    let bodies: Bodies<'_> = serde_json::from_slice(line).ok()?;
    let body = match (&bodies.base64, bodies.body) {
        (Some(base64), _) => STANDARD.decode(base64).ok()?.into(),
        (None, Some(raw)) => Bytes::copy_from_slice(raw.get().as_bytes()),
        (None, None) => return None,
    };
    let Value::Object(mut fields) = serde_json::from_slice(line).ok()? else { return None };
    let query = match fields.remove("query") {
        Some(Value::Object(query)) => query,
        _ => Map::new(),
    };
    fields.retain(|name, value| value.is_string() && name != "bodyB" && !OWN.contains(&name.as_str()));
    Some((Head { headers: fields, query }, body))
}

/// What an event is about; of a sealed one only its name.
pub fn gist(head: &Head, body: Option<&[u8]>) -> Gist {
    #[derive(Default, Deserialize)]
    struct Known {
        action: Option<String>,
        repository: Option<Repository>,
    }
    #[derive(Deserialize)]
    struct Repository {
        full_name: Option<String>,
    }
    let known: Known = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let event = match head.header(headers::EVENT) {
        "" => "post",
        event => event,
    };
    Gist {
        event: known.action.map_or(event.to_owned(), |action| format!("{event}.{action}")),
        repo: known.repository.and_then(|repository| repository.full_name).unwrap_or_default(),
        guid: head.header(headers::DELIVERY).to_owned(),
    }
}

/// As [`gist`], of a stored event.
pub fn gist_of(record: &Record) -> Gist {
    gist(&Head::decode(&record.head), (record.form == Form::Plain).then_some(&record.body[..]))
}

#[cfg(test)]
#[path = "event/tests.rs"]
mod tests;
