//! An event that happened, ready to be posted again: from the store, from GitHub, or from a file.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::filter::Wish;
use super::find::{Known, name};
use super::local::Wanted;
use super::log::Log;
use super::repos::Repos;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::job::field;
use crate::github::headers::HOOK_ID;
use crate::github::missed;
use crate::util::id;

/// Rows of one page of the store.
const PAGE: u32 = 200;

/// An event with its bytes.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `X-GitHub-Delivery`; a new one for a file that names none.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The headers that it came with, names in lower case, without signatures; empty for a file.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether these are the bytes that came. GitHub and files only have the same document.
    pub exact: bool,
    /// When it came first.
    pub at: Option<DateTime<Utc>>,
    /// How it was answered first: status and body.
    pub answer: Option<(u16, Value)>,
}

impl Recorded {
    /// `event.action`, or the event alone.
    pub fn name(&self) -> String {
        name(&self.event, self.action.as_deref())
    }

    /// `X-GitHub-Hook-ID`.
    pub fn hook(&self) -> Option<i64> {
        self.headers.iter().find(|(name, _)| name == HOOK_ID)?.1.parse().ok()
    }

    /// The event that `known` is: from the store where it has it, else from GitHub.
    ///
    /// # Errors
    /// When neither has its payload, or the one that has it does not answer.
    pub async fn of(log: &Log, known: &Known) -> Result<Self> {
        let guid = known.guid.clone();
        let (event, action) = (known.event().to_owned(), known.action().map(str::to_owned));
        if let (Some(local), Some(row)) = (&log.local, &known.local)
            && let Some(body) = local.payload(&guid).await?
        {
            let at = DateTime::parse_from_rfc3339(field(row, "received_at")).ok().map(|at| at.to_utc());
            let status = row["answer_status"].as_u64().and_then(|status| u16::try_from(status).ok());
            let answer = status.map(|status| (status, row["answer"].clone()));
            let headers = row["headers"].as_object().map(pairs).unwrap_or_default();
            return Ok(Self { guid, event, action, headers, body, exact: true, at, answer });
        }
        for attempt in known.attempts.iter().rev() {
            let Some(detail) = log.detail(attempt.id).await? else { continue };
            let Some(payload) = detail.request.payload else { continue };
            let at = known.attempts.first().map(|first| first.delivered_at);
            let status = u16::try_from(detail.delivery.status_code).ok().filter(|status| *status > 0);
            let told = detail.response.payload.unwrap_or_default();
            // GitHub tells the answer's body as text.
            let told = told.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(told);
            return Ok(Self {
                guid,
                event,
                action,
                headers: detail.request.headers.as_ref().map(pairs).unwrap_or_default(),
                body: Bytes::from(payload.to_string()),
                exact: false,
                at,
                answer: status.map(|status| (status, told)),
            });
        }
        Err(Error::new(Kind::NotFound, format!("nobody has the payload of {guid}")))
    }

    /// The events of the file at `path`: a payload, or a delivery as GitHub's API tells it. `event`
    /// names a payload's event; without it, its name is the beginning of the file's name.
    ///
    /// # Errors
    /// When it cannot be read, is no JSON object, or nobody says which event it is.
    pub fn of_file(path: &Path, event: Option<&str>) -> Result<Self> {
        let shown = path.display();
        let bytes = fs::read(path)
            .map_err(|error| Error::new(Kind::NotFound, format!("cannot read {shown}")).caused_by(&error))?;
        let document: Value = serde_json::from_slice(&bytes)
            .map_err(|error| Error::failure(format!("{shown} is not JSON")).caused_by(&error))?;
        let Value::Object(document) = document else {
            return Err(Error::failure(format!("{shown} is not a JSON object")));
        };
        let action = |payload: &Map<String, Value>| payload.get("action").and_then(Value::as_str).map(str::to_owned);
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let request = document.get("request").and_then(Value::as_object);
        if let (Some(guid), Some(told), Some(request)) = (text("guid"), text("event"), request)
            && let Some(Value::Object(payload)) = request.get("payload")
        {
            return Ok(Self {
                guid: guid.to_owned(),
                event: event.unwrap_or(told).to_owned(),
                action: action(payload),
                headers: request.get("headers").and_then(Value::as_object).map(pairs).unwrap_or_default(),
                body: Bytes::from(Value::Object(payload.clone()).to_string()),
                exact: false,
                at: None,
                answer: None,
            });
        }
        let event = event.map(str::to_owned).or_else(|| event_of(path)).ok_or_else(|| {
            Error::usage(format!("{shown} does not say which event it is"))
                .because("its name would, if it began with the event's: pull_request.opened.json")
                .hint(format!("pforge deliveries replay --file {shown} --event pull_request"))
        })?;
        Ok(Self {
            guid: id::guid(),
            event,
            action: action(&document),
            headers: Vec::new(),
            body: bytes.into(),
            exact: true,
            at: None,
            answer: None,
        })
    }
}

/// `pull_request.opened.json` is of the event `pull_request`.
fn event_of(path: &Path) -> Option<String> {
    let file = path.file_name()?.to_str()?;
    let event = file.split(['.', '-']).next()?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (!event.is_empty() && event != "payload" && event != "fixture" && event.bytes().all(fits)).then(|| event.to_owned())
}

fn pairs(headers: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |(name, value): (&String, &Value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()));
    headers.iter().filter_map(text).collect()
}

/// The events of the wished kind and time, oldest first: of the store where it can be asked, else
/// of GitHub's log.
///
/// # Errors
/// When the side that is asked does not answer.
pub async fn select(log: &mut Log, wish: &Wish) -> Result<Vec<Known>> {
    let mut found = Vec::new();
    if let Some(local) = &log.local {
        let wanted = Wanted { filter: wish.local(PAGE), text: None };
        let mut after = None;
        loop {
            let page = local.page(&wanted, after.as_deref()).await?;
            for item in page.items {
                let guid = field(&item, "guid").to_owned();
                let row = local.get(&guid).await?;
                found.push(Known { guid, attempts: Vec::new(), asked: None, local: row });
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.reverse();
        return Ok(found);
    }
    let Some(tape) = &mut log.github else { return Ok(found) };
    let mut seen = missed::Log::default();
    let mut read = 0;
    loop {
        seen.add(&tape.attempts()[read..]);
        read = tape.attempts().len();
        if wish.since.is_some_and(|since| seen.reaches(since)) || !tape.read().await? {
            break;
        }
    }
    let mut repos = Repos::default();
    for attempt in tape.attempts().iter().rev() {
        if !wish.spans(attempt.delivered_at) || !wish.names(&attempt.event, attempt.action.as_deref()) {
            continue;
        }
        if wish.repo.is_some() && !wish.is_in(repos.of(tape.client(), attempt).await?.as_deref()) {
            continue;
        }
        match found.iter_mut().find(|known| known.guid == attempt.guid) {
            Some(known) => known.attempts.push(attempt.clone()),
            None => found.push(Known {
                guid: attempt.guid.clone(),
                attempts: vec![attempt.clone()],
                asked: None,
                local: None,
            }),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Path, Recorded, event_of};

    #[test]
    fn a_file_says_which_event_it_is() {
        for (path, event) in [
            ("a/pull_request.opened.json", Some("pull_request")),
            ("push.json", Some("push")),
            ("issues-7.json", Some("issues")),
            ("payload.json", None),
            ("fixture.json", None),
            ("Push.json", None),
            (".json", None),
        ] {
            assert_eq!(event_of(Path::new(path)).as_deref(), event, "{path}");
        }
    }

    #[test]
    fn a_file_is_a_payload_or_a_delivery_as_github_tells_it() {
        let folder = tempfile::tempdir().expect("tempdir");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("write");
            path
        };
        let payload =
            Recorded::of_file(&write("issues.opened.json", "{ \"action\": \"opened\" }\n"), None).expect("read");
        assert_eq!((payload.event.as_str(), payload.name().as_str()), ("issues", "issues.opened"));
        assert_eq!(payload.body, "{ \"action\": \"opened\" }\n", "the bytes as they are");
        let told =
            r#"{"guid":"g","event":"push","request":{"headers":{"X-GitHub-Hook-ID":"7"},"payload":{"b":1,"a":2}}}"#;
        let told = Recorded::of_file(&write("x.json", told), None).expect("read");
        assert_eq!((told.guid.as_str(), told.event.as_str(), told.hook()), ("g", "push", Some(7)));
        assert_eq!(told.body, r#"{"b":1,"a":2}"#);
        for (name, text) in [("a.json", "[1]"), ("b.json", "{"), ("payload.json", "{}")] {
            assert!(Recorded::of_file(&write(name, text), None).is_err(), "{name}");
        }
        assert!(Recorded::of_file(&folder.path().join("absent.json"), None).is_err());
    }
}
