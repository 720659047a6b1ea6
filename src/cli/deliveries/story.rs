//! The life of one event: from GitHub's attempts to what the jobs did.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::find::Known;
use super::log::Log;
use super::text::{answered, clock, masked, slow, took};
use super::tree::Tree;
use crate::cli::error::Result;
use crate::cli::job::{self, field, said};
use crate::cli::ui::{Tone, Ui};
use crate::github::api::apps::{HookDelivery, HookDeliveryDetail};
use crate::util::text::{duration, truncate};

/// Characters of an answer that fit on a line.
const LINE: usize = 90;

/// An event with all that followed from it.
pub struct Story {
    /// What both sides have of it.
    pub known: Known,
    /// What was sent and answered in the attempt that is meant, by GitHub's account.
    pub detail: Option<HookDeliveryDetail>,
    /// The jobs of the local store, each with what its attempts did.
    pub jobs: Vec<(Value, Vec<Value>)>,
    /// Whether the local store was asked.
    pub asked_locally: bool,
}

impl Story {
    /// Gathers it.
    ///
    /// # Errors
    /// When a side does not answer.
    pub async fn of(log: &Log, known: Known) -> Result<Self> {
        let detail = match known.attempt() {
            Some(attempt) => log.detail(attempt.id).await?,
            None => None,
        };
        let mut jobs = Vec::new();
        let rows = known.local.as_ref().and_then(|local| local["jobs"].as_array());
        if let (Some(local), Some(rows)) = (&log.local, rows) {
            for row in rows {
                let trace = local.trace(row["id"].as_i64().unwrap_or_default()).await?;
                jobs.push((row.clone(), trace));
            }
        }
        Ok(Self { known, detail, jobs, asked_locally: log.local.is_some() })
    }

    /// `owner/repo`, from whoever knows it.
    pub fn repo(&self) -> Option<&str> {
        let payload = || self.detail.as_ref()?.request.payload.as_ref();
        self.known.repo().or_else(|| payload()?["repository"]["full_name"].as_str())
    }

    /// The heading: event, repository, GUID.
    pub fn heading(&self, ui: &Ui) -> String {
        let name = ui.paint_out(Tone::Strong, &self.known.name());
        let repo = self.repo().map(|repo| format!("  {repo}")).unwrap_or_default();
        format!("{name}{repo}  {}", self.known.guid)
    }

    /// The request's headers: as GitHub sent them, else as they were stored; masked.
    pub fn headers(&self) -> Map<String, Value> {
        let sent = self.detail.as_ref().and_then(|detail| detail.request.headers.clone());
        let stored = || self.known.local.as_ref()?["headers"].as_object().cloned();
        masked(&sent.or_else(stored).unwrap_or_default())
    }

    /// As a document. Headers that prove who speaks are masked.
    pub fn to_json(&self) -> Value {
        let hidden = |headers: &Value| headers.as_object().map(masked).map_or(Value::Null, Value::Object);
        let mut detail = json!(self.detail);
        for part in ["request", "response"] {
            if detail[part]["headers"].is_object() {
                detail[part]["headers"] = hidden(&detail[part]["headers"]);
            }
        }
        let mut local = json!(self.known.local);
        if let Some(row) = local.as_object_mut() {
            row.shift_remove("jobs");
            if let Some(headers) = row.get_mut("headers") {
                *headers = hidden(headers);
            }
        }
        let jobs = self.jobs.iter().map(|(row, trace)| {
            let mut row = row.clone();
            row["trace"] = json!(trace);
            row
        });
        json!({
            "guid": self.known.guid,
            "event": self.known.event(),
            "action": self.known.action(),
            "repo": self.repo(),
            "attempts": self.known.attempts,
            "attempt": detail,
            "local": local,
            "jobs": jobs.collect::<Vec<_>>(),
            "check_runs": self.check_runs(),
        })
    }

    /// The tree.
    pub fn tree(&self, ui: &Ui) -> Tree {
        let mut tree = Tree::new(self.heading(ui));
        if let Some(github) = self.github(ui) {
            tree.push(github);
        }
        match &self.known.local {
            Some(local) => self.received(local).into_iter().for_each(|node| tree.push(node)),
            None if self.asked_locally => tree.push(Tree::new(self.never_received(ui))),
            None => {}
        }
        self.job_trees(ui).into_iter().for_each(|node| tree.push(node));
        for url in self.check_runs() {
            tree.push(Tree::new(format!("check run  {}", ui.paint_out(Tone::Link, &url))));
        }
        tree
    }

    fn github(&self, ui: &Ui) -> Option<Tree> {
        let first = self.known.attempts.first()?;
        let url = self.detail.as_ref().and_then(|detail| detail.url.as_deref());
        let to = url.map(|url| format!("  → {}", ui.paint_out(Tone::Link, url))).unwrap_or_default();
        let line = format!("GitHub  {}{to}", clock(first.delivered_at));
        Some(Tree::new(line).with(self.known.attempts.iter().map(|attempt| Tree::new(attempt_line(ui, attempt)))))
    }

    /// Everything up to the answer.
    fn received(&self, local: &Value) -> Vec<Tree> {
        let size = local["size"].as_i64().unwrap_or_default();
        let arrived = |row: &Value| time(row, "received_at").map(precise).unwrap_or_default();
        let mut received = Tree::new(format!("received  {}  {size} bytes, by {}", arrived(local), field(local, "app")));
        let history = local["history"].as_array().map_or(&[][..], Vec::as_slice);
        for row in history.iter().skip(1) {
            let body = if row["same_body"] == true { "the same bytes" } else { "other bytes" };
            let again = if row["requeued"] == true { ", its work was queued again" } else { "" };
            let status = &row["answer_status"];
            received.push(Tree::new(format!("again  {}  {status}  {body}{again}", arrived(row))));
        }
        let answer = truncate(&local["answer"].to_string(), LINE);
        // A request whose signature is wrong leaves nothing in the store.
        let signature = Tree::new("signature  verified");
        let decided = Tree::new(format!("decided  {}  {answer}", local["answer_status"]));
        let within = self.known.attempts.iter().find(|attempt| attempt.is_good()).and_then(took);
        // GitHub counts in hundredths of a second.
        let within = within.filter(|took| !took.is_zero());
        let within = within.map(|took| format!(", within GitHub's {}", duration(took))).unwrap_or_default();
        vec![received, signature, decided, Tree::new(format!("stored  before it was answered{within}"))]
    }

    fn never_received(&self, ui: &Ui) -> String {
        let why = match self.known.attempts.last().map(|attempt| attempt.status_code) {
            Some(401 | 403) => "the receiver did not accept its signature",
            Some(200..300) => "whoever answered was not this server",
            Some(_) => "no attempt reached this server",
            None => "the local store does not have it",
        };
        format!("{}  {why}", ui.paint_out(Tone::Bad, "not received"))
    }

    /// Each job with its attempts and their calls.
    pub fn job_trees(&self, ui: &Ui) -> Vec<Tree> {
        let received = self.known.local.as_ref().and_then(|local| time(local, "received_at"));
        self.jobs.iter().map(|(row, trace)| job_tree(ui, row, trace, received)).collect()
    }

    /// The pages of the check runs that the jobs made or changed.
    pub fn check_runs(&self) -> BTreeSet<String> {
        let calls = self.jobs.iter().flat_map(|(_, trace)| trace).filter_map(|attempt| attempt["calls"].as_array());
        let made = calls.flatten().filter(|call| field(call, "path").contains("/check-runs"));
        made.filter_map(|call| call["url"].as_str()).map(str::to_owned).collect()
    }
}

/// One of GitHub's attempts.
pub fn attempt_line(ui: &Ui, attempt: &HookDelivery) -> String {
    let cell = answered(attempt);
    let of = if took(attempt).is_some() { " of 10 s" } else { "" };
    let answer = ui.paint_out(cell.1.unwrap_or(Tone::Dim), &format!("{}{of}", cell.0));
    let again = if attempt.redelivery { "  redelivered" } else { "" };
    let status = if attempt.is_good() { String::new() } else { format!("  {}", attempt.status) };
    let late = if slow(attempt) && attempt.is_good() {
        format!("  {}", ui.paint_out(Tone::Warn, "slow: GitHub waits no longer than that"))
    } else {
        String::new()
    };
    format!("#{}  {}  {answer}{status}{again}{late}", attempt.id, clock(attempt.delivered_at))
}

fn job_tree(ui: &Ui, row: &Value, trace: &[Value], received: Option<DateTime<Utc>>) -> Tree {
    let state = ui.paint_out(job::tone(row), field(row, "state"));
    let key = row["key"].as_str().map(|key| format!("  {key}")).unwrap_or_default();
    let told = match said(row) {
        "" => String::new(),
        text => format!("  {}", truncate(text, LINE)),
    };
    let mut tree = Tree::new(format!("job {}  {}{key}  {state}{told}", row["id"], field(row, "kind")));
    let begun = row["attempts"].as_u64().unwrap_or_default();
    if trace.is_empty() && begun > 0 {
        tree.push(Tree::new(format!("{begun} of {} attempts, of which nothing is written down", row["max_attempts"])));
    }
    for attempt in trace {
        tree.push(attempt_tree(ui, attempt, received));
    }
    tree
}

fn attempt_tree(ui: &Ui, attempt: &Value, received: Option<DateTime<Utc>>) -> Tree {
    let (start, end) = (time(attempt, "started_at"), time(attempt, "ended_at"));
    let between = |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| (to? - from?).to_std().ok();
    let at = start.map(precise).unwrap_or_default();
    let after = between(received, start).map(|wait| format!(" (+{})", duration(wait))).unwrap_or_default();
    let took = between(start, end).map(|took| format!(" in {}", duration(took))).unwrap_or_default();
    let tone = match field(attempt, "outcome") {
        "done" => Tone::Good,
        "dead" => Tone::Bad,
        _ => Tone::Warn,
    };
    let outcome = ui.paint_out(tone, field(attempt, "outcome"));
    let told = match (field(attempt, "outcome"), field(attempt, "said")) {
        // The job's own line has it.
        ("done", _) | (_, "") => String::new(),
        (_, text) => format!("  {}", truncate(text, LINE)),
    };
    let calls = attempt["calls"].as_array().map_or(&[][..], Vec::as_slice);
    let wide = |name: &str| calls.iter().map(|call| field(call, name).chars().count()).max().unwrap_or_default();
    let (methods, paths) = (wide("method"), wide("path").min(LINE));
    let line = format!("attempt {}  {at}{after}  {outcome}{took}{told}", attempt["attempt"]);
    let mut tree = Tree::new(line).with(calls.iter().map(|call| Tree::new(call_line(ui, call, methods, paths))));
    match attempt["more_calls"].as_u64() {
        None | Some(0) => {}
        Some(more) => tree.push(Tree::new(format!("… and {more} more"))),
    }
    tree
}

fn call_line(ui: &Ui, call: &Value, methods: usize, paths: usize) -> String {
    let (status, tone) = match call["status"].as_u64() {
        Some(code) if code < 400 => (code.to_string(), Tone::Good),
        Some(code) => (code.to_string(), Tone::Bad),
        None => ("no answer".to_owned(), Tone::Bad),
    };
    let ms = duration(Duration::from_millis(call["ms"].as_u64().unwrap_or_default()));
    let again = match call["attempt"].as_u64() {
        None | Some(1) => String::new(),
        Some(number) => format!("  {number}. try"),
    };
    let url = call["url"].as_str().map(|url| format!("  → {}", ui.paint_out(Tone::Link, url))).unwrap_or_default();
    let error = call["error"].as_str().map(|error| format!("  {}", truncate(error, LINE))).unwrap_or_default();
    let (method, path) = (field(call, "method"), field(call, "path"));
    format!("{method:<methods$}  {path:<paths$}  {}  {ms}{again}{url}{error}", ui.paint_out(tone, &status))
}

/// The time in a field.
fn time(row: &Value, name: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(row[name].as_str()?).ok()?.to_utc())
}

fn precise(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Ui, attempt_line};
    use crate::cli::env::Env;
    use crate::cli::ui::Options;

    #[test]
    fn an_attempt_says_how_much_of_the_time_it_used() {
        let ui = Ui::new(Options::default(), &Env::default());
        let line = |duration: f64, status: &str, code: u16, redelivery: bool| {
            let attempt = json!({
                "id": 7, "guid": "g", "delivered_at": "2026-01-31T12:00:00Z", "redelivery": redelivery,
                "duration": duration, "status": status, "status_code": code, "event": "push",
            });
            attempt_line(&ui, &serde_json::from_value(attempt).expect("an attempt"))
        };
        assert_eq!(line(1.2, "OK", 202, false), "#7  2026-01-31 12:00:00  202  1.2 s of 10 s");
        let slow = "#7  2026-01-31 12:00:00  202  2.0 s of 10 s  redelivered  slow: GitHub waits no longer than that";
        assert_eq!(line(2.0, "OK", 202, true), slow);
        assert_eq!(line(10.0, "timed out", 504, false), "#7  2026-01-31 12:00:00  504  10.0 s of 10 s  timed out");
    }
}
