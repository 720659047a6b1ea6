//! A session for a person: a block of facts, then two lines for every delivery.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use url::Url;

use super::ndjson::header;
use super::plan::Via;
use super::told::{Ready, Sink, Summary, Told, Webhook};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::ui::Tone;
use crate::proxy::forward::Reply;
use crate::proxy::{Notice, Seen};
use crate::util::text::{duration, plural, truncate};

/// Widths of the columns: event, what it is about, GUID.
const WIDTHS: (usize, usize, usize) = (24, 17, 8);
/// After so many failed attempts another transport is offered.
const OFFER_AFTER: u32 = 3;

/// Prints a session: deliveries on standard output, everything else beside it.
pub struct View<'a> {
    cx: &'a Cx,
    seen: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    via: Option<Via>,
    target: Option<Url>,
    /// The delivery that the last line was about.
    last: Option<u64>,
    /// Failed attempts to connect since the connection was lost.
    lost: u32,
    ready: bool,
}

impl<'a> View<'a> {
    /// For the streams of `cx`.
    pub fn new(cx: &'a Cx) -> Self {
        Self { cx, seen: Mutex::default() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> String {
        self.cx.ui.paint_out(Tone::Dim, &self.cx.clock.now().format("%H:%M:%S").to_string())
    }

    /// A line beside the deliveries.
    fn aside(&self, tone: Tone, sign: &str, text: &str) {
        let ui = &self.cx.ui;
        let time = ui.paint(Tone::Dim, &self.cx.clock.now().format("%H:%M:%S").to_string());
        ui.status(format!("{time}  {} {text}", ui.paint(tone, sign)));
    }

    fn ready(&self, ready: &Ready) {
        let ui = &self.cx.ui;
        let target = ui.paint(Tone::Link, ready.target.as_str());
        let via = match (&ready.public, &ready.detail) {
            (Some(public), None) => ui.paint(Tone::Link, public.as_str()),
            (Some(public), Some(detail)) => format!("{} ({detail})", ui.paint(Tone::Link, public.as_str())),
            (None, detail) => detail.clone().unwrap_or_default(),
        };
        let mut facts = Vec::new();
        if let Some(app) = &ready.app {
            let installed = app.installations.map(|count| format!(", {}", plural(count, "installation")));
            let name = ui.paint(Tone::Strong, &app.name);
            facts.push(("app", format!("{name}  (#{}{})", app.id, installed.unwrap_or_default())));
        }
        facts.push(("via", format!("{via}  →  {target}")));
        if let Some(webhook) = webhook(ready) {
            facts.push(("webhook", webhook));
        }
        ui.facts(&facts);
        if let Some(mended) = &ready.mended {
            ui.status(format!("The webhook URL that a pforge had left behind is {mended} again."));
        }
        if ready.via == Via::Poll && ready.webhook == (Webhook::Untouched { now: None }) {
            ui.warn("the App has no webhook URL, and GitHub records nothing without one");
            ui.hint("any public URL serves: pforge proxy set-url https://smee.io/unused");
        }
        ui.status(ui.paint(Tone::Dim, "Waiting for deliveries; Ctrl-C ends."));
    }

    fn received(&self, seen: &Seen) -> Result {
        let ui = &self.cx.ui;
        let pad = |text: &str, wide: usize| format!("{text:<wide$}");
        let title = ui.paint_out(Tone::Strong, &pad(&seen.title(), WIDTHS.0 - 2));
        let about = pad(seen.about.as_deref().unwrap_or("-"), WIDTHS.1 - 2);
        let guid = pad(&short(&seen.guid), WIDTHS.2);
        let tone = if seen.verdict.forwards() { Tone::Dim } else { Tone::Bad };
        let verdict = ui.paint_out(tone, seen.verdict.text());
        ui.line(format!("{}  → {title}  {about}  {guid}   {verdict}", self.time()))
    }

    /// The second line of a delivery. It names the delivery when other lines came between.
    fn answered(&self, seen: &Seen, tone: Tone, status: &str, took: &str, note: &str) -> Result {
        let ui = &self.cx.ui;
        let alone = self.progress().last != Some(seen.number);
        let of = if alone { format!("{}  {}  ", short(&seen.guid), seen.title()) } else { String::new() };
        let facts = format!("{status}  {took}");
        let room = " ".repeat((WIDTHS.0).saturating_sub(facts.chars().count()));
        let line = format!("{}  ← {}{room}{of}{note}", self.time(), ui.paint_out(tone, &facts));
        self.progress().last = Some(seen.number);
        ui.line(line.trim_end())
    }

    fn down(&self, seen: &Seen, reason: &str, refused: bool) -> Result {
        let target = self.progress().target.clone();
        let asked = match target.filter(|_| refused) {
            Some(target) => {
                let port = target.port_or_known_default().unwrap_or_default();
                format!("is `pforge serve` running on :{port}?  ")
            }
            None => String::new(),
        };
        self.answered(seen, Tone::Bad, &format!("✗ {reason}"), "", &format!("  {asked}(kept; will retry)"))
    }

    fn reconnecting(&self, reason: &str, wait: std::time::Duration) {
        let (lost, via) = {
            let mut progress = self.progress();
            progress.lost += 1;
            (progress.lost, progress.via)
        };
        let again = duration(wait);
        match lost {
            1 => self.aside(Tone::Warn, "●", &format!("not connected: {reason}; again in {again}, and so on")),
            OFFER_AFTER if via != Some(Via::Poll) => {
                self.aside(Tone::Warn, "●", &format!("still not connected: {reason}"));
                self.cx.ui.hint("without a tunnel: pforge proxy start --via poll");
            }
            _ => {}
        }
    }
}

impl Sink for View<'_> {
    fn tell(&self, told: &Told) -> Result {
        let notice = match told {
            Told::Ready(ready) => {
                let mut progress = self.progress();
                (progress.via, progress.target) = (Some(ready.via), Some(ready.target.clone()));
                (progress.ready, progress.lost) = (true, 0);
                drop(progress);
                self.ready(ready);
                return Ok(());
            }
            Told::Stopped(summary) => {
                stopped(self.cx, summary);
                return Ok(());
            }
            Told::Notice(notice) => notice,
        };
        match notice {
            Notice::Received(seen) => {
                self.received(seen)?;
                self.progress().last = Some(seen.number);
            }
            Notice::Forwarded { seen, reply } => {
                let took = duration(reply.took);
                let tone = match reply.status {
                    200..300 => Tone::Good,
                    300..500 => Tone::Warn,
                    _ => Tone::Bad,
                };
                return self.answered(seen, tone, &reply.status.to_string(), &took, &note(reply));
            }
            Notice::Failed { seen, reason } => {
                return self.answered(seen, Tone::Bad, &format!("✗ {reason}"), "", "  (given up)");
            }
            Notice::TargetDown { seen, reason, refused } => return self.down(seen, reason, *refused),
            Notice::TargetUp { after } => {
                self.aside(Tone::Good, "●", &format!("the target is back after {}", duration(*after)));
            }
            Notice::Connected { again } => {
                self.progress().lost = 0;
                if *again {
                    self.aside(Tone::Good, "●", "connected again");
                }
            }
            Notice::Reconnecting { reason, wait } => self.reconnecting(reason, *wait),
            Notice::Gap { filled } => {
                let count = plural(*filled as u64, "delivery").replace("deliverys", "deliveries");
                self.aside(Tone::Good, "●", &format!("{count} came meanwhile; fetched from GitHub"));
            }
            Notice::GapOpen { reason } => {
                self.aside(Tone::Warn, "●", &format!("what came meanwhile cannot be fetched from GitHub: {reason}"));
            }
            Notice::Mark(_) => {}
        }
        Ok(())
    }
}

/// The line about the webhook URL.
fn webhook(ready: &Ready) -> Option<String> {
    let none = "none";
    match &ready.webhook {
        Webhook::Updated { previous: Some(previous) } => Some(format!("was {previous} · updated · restored on exit")),
        Webhook::Updated { previous: None } => Some("was not set · updated".to_owned()),
        Webhook::AlreadyOurs => Some("points here already".to_owned()),
        Webhook::Untouched { now } => match (&ready.public, now.as_deref()) {
            (None, now) => Some(format!("{} · left alone; GitHub's log has what it sends", now.unwrap_or(none))),
            (Some(public), Some(now)) if now.trim_end_matches('/') == public.as_str().trim_end_matches('/') => {
                Some("points here already".to_owned())
            }
            (Some(_), now) => Some(format!("{} · left alone; nothing comes here by itself", now.unwrap_or(none))),
        },
        Webhook::Unknown => None,
    }
}

/// What an answer says of the delivery.
fn note(reply: &Reply) -> String {
    let jobs = header(reply, "x-pforge-jobs").and_then(|jobs| jobs.parse().ok());
    match (jobs, header(reply, "x-pforge-delivery")) {
        (Some(jobs @ 1..), _) => return format!("{} queued", plural(jobs, "job")),
        (_, Some("repeat")) => return "seen before".to_owned(),
        _ => {}
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let said = ["detail", "message", "error"].iter().find_map(|key| body[key].as_str().map(str::to_owned));
    let text = said.or_else(|| {
        let text = std::str::from_utf8(&reply.body).ok().filter(|_| !reply.is_good() && body.is_null())?;
        text.lines().next().map(|line| line.chars().filter(|c| !c.is_control()).collect())
    });
    truncate(&text.unwrap_or_default(), 60)
}

/// The two lines at the end.
fn stopped(cx: &Cx, summary: &Summary) {
    let ui = &cx.ui;
    let Summary { received, ok, failed, refused, .. } = summary;
    let refused = if *refused > 0 { format!(", {refused} not forwarded") } else { String::new() };
    ui.status(format!("{received} received, {ok} ok, {failed} failed{refused}"));
    match (&summary.restored, &summary.not_restored) {
        (_, Some(reason)) => {
            ui.warn(format!("the webhook URL could not be restored: {reason}"));
            ui.hint("it is restored by the next start, or by: pforge proxy restore");
        }
        (Some(url), None) => ui.status(format!("webhook URL restored: {url}")),
        (None, None) => ui.status("webhook URL as it was"),
    }
}

/// The first characters of a GUID.
fn short(guid: &str) -> String {
    guid.chars().filter(|c| !c.is_control()).take(WIDTHS.2).collect()
}
