//! What a payload begins with: nothing, a delivery that was received, or a file.

use std::io::Read;
use std::path::Path;
use std::{fs, io};

use serde_json::Value;

use crate::cli::cx::Cx;
use crate::cli::deliveries::Sources;
use crate::cli::error::{Error, Result};
use crate::github::payloads::{Catalogue, Draft, World};

/// An event and its payload, from elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The event.
    pub event: String,
    /// Its payload.
    pub payload: Value,
    /// The bytes, when they are those that arrived.
    pub bytes: Vec<u8>,
}

/// `event.action` taken apart.
pub fn parts(name: &str) -> (&str, Option<&str>) {
    name.split_once('.').map_or((name, None), |(event, action)| (event, Some(action)))
}

/// A synthesised payload; without an action, of the usual one, which is told.
///
/// # Errors
/// When there is no such event or action.
pub fn synthesise<'c>(cx: &Cx, catalogue: &'c Catalogue, name: &str, world: &World) -> Result<Draft<'c>> {
    let (event, action) = parts(name);
    let action = match action {
        Some(action) => Some(action),
        None => {
            let usual = catalogue.default_action(event)?;
            if let Some(usual) = usual {
                cx.ui.status(format!("{event} without an action: {event}.{usual}"));
            }
            usual
        }
    };
    Ok(Draft::new(catalogue, event, action, world)?)
}

/// Reads a file, `-` for standard input, or finds a delivery. `event` is what the command line
/// names, if it does.
///
/// # Errors
/// When there is none, or it does not say which event it is.
pub fn find(cx: &Cx, sources: &Sources, from: &str, event: Option<&str>) -> Result<Origin> {
    let event = event.map(|name| parts(name).0);
    let is_file = from == "-" || from.contains(['/', '\\']) || Path::new(from).is_file();
    if is_file || Path::new(from).extension().is_some_and(|end| end == "json") {
        let failed = |error: io::Error| Error::failure(format!("cannot read {from}")).caused_by(&error);
        let mut bytes = Vec::new();
        match from {
            "-" => drop(io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?),
            file => bytes = fs::read(file).map_err(failed)?,
        }
        return of_file(from, bytes, event);
    }
    let (known, payload) = cx.run(async {
        let mut log = sources.open(cx).await?;
        let known = log.find(from).await?;
        let payload = log.payload(&known).await?;
        Ok((known, payload))
    })?;
    let bytes = payload.bytes.to_vec();
    let payload = serde_json::from_slice(&bytes)
        .map_err(|error| Error::failure(format!("the payload of {} is not JSON", known.guid)).caused_by(&error))?;
    Ok(Origin { event: event.unwrap_or(known.event()).to_owned(), payload, bytes })
}

/// A payload, or a payload with its event beside it: `{"event": …, "payload": {…}}` or
/// `{"headers": {"x-github-event": …}, "payload": {…}}`.
fn of_file(name: &str, bytes: Vec<u8>, event: Option<&str>) -> Result<Origin> {
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Error::failure(format!("{name} is not JSON")).caused_by(&error))?;
    if let Some(payload) = value.get("payload").filter(|payload| payload.is_object() && value.get("sender").is_none()) {
        let header = |headers: &Value| {
            let found = headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-github-event"));
            found.and_then(|(_, value)| value.as_str()).map(str::to_owned)
        };
        let own = value["event"].as_str().map(|name| parts(name).0.to_owned());
        let own = own.or_else(|| header(value.get("headers")?)).or_else(|| header(&value["request"]["headers"]));
        if let Some(event) = event.map(str::to_owned).or(own) {
            let bytes = serde_json::to_vec(payload).unwrap_or_default();
            return Ok(Origin { event, payload: payload.clone(), bytes });
        }
    }
    if !value.is_object() {
        return Err(Error::failure(format!("{name} is not a JSON object")));
    }
    let event = event.ok_or_else(|| {
        let told = Error::usage(format!("{name} does not say which event it is"));
        told.hint(format!("pforge trigger EVENT --from {name}"))
    })?;
    Ok(Origin { event: event.to_owned(), payload: value, bytes })
}

#[cfg(test)]
mod tests {
    use super::of_file;

    #[test]
    fn a_file_is_a_payload_or_has_one() {
        let read = |text: &str, event| {
            of_file("f", text.as_bytes().to_vec(), event).map(|read| (read.event, read.payload.to_string()))
        };
        let payload = r#"{"action":"opened"}"#;
        for (text, event, expected) in [
            (payload.to_owned(), Some("issues"), "issues"),
            (format!(r#"{{"event":"issues.opened","payload":{payload}}}"#), None, "issues"),
            (format!(r#"{{"headers":{{"X-GitHub-Event":"push"}},"payload":{payload}}}"#), None, "push"),
            (format!(r#"{{"event":"issues","payload":{payload}}}"#), Some("label"), "label"),
        ] {
            assert_eq!(read(&text, event), Ok((expected.to_owned(), payload.to_owned())), "{text}");
        }
        for text in [payload, "[]", "{"] {
            assert!(read(text, None).is_err(), "{text}");
        }
    }
}
