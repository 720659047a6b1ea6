//! One view of proxy and server: deliveries as the proxy tells them, then what their jobs did.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::proxy::told::Told;
use crate::cli::proxy::{Ndjson, Sink, View};
use crate::cli::reconciled;
use crate::cli::ui::Tone;
use crate::proxy::Notice;
use crate::server::Reconciled;
use crate::util::text::truncate;

/// Tells everything of a session, as text or as NDJSON.
pub struct Combined<'a> {
    cx: &'a Cx,
    text: View<'a>,
    json: Ndjson<'a>,
    /// Whether a delivery has come all the way.
    received: AtomicBool,
}

impl<'a> Combined<'a> {
    /// For the streams of `cx`.
    pub fn new(cx: &'a Cx) -> Self {
        Self { cx, text: View::new(cx), json: Ndjson::new(cx), received: AtomicBool::new(false) }
    }

    /// The server answers at `url`.
    pub fn serving(&self, url: &str) {
        if !self.cx.ui.json() {
            let link = |path: &str| self.cx.ui.paint(Tone::Link, &format!("{url}{path}"));
            // As wide as the labels of the proxy, which follow.
            self.cx.ui.facts(&[("server ", format!("{}  (docs at {})", link(""), link("/docs")))]);
        }
    }

    /// Something that happened on the server; deliveries are told by the proxy.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn job(&self, event: &Value) -> Result {
        if event["type"] != "job" {
            return Ok(());
        }
        if self.cx.ui.json() {
            return self.cx.ui.event(event);
        }
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let (sign, tone) = match text("what") {
            "done" => ("✓", Tone::Good),
            "retry" => ("↻", Tone::Warn),
            "dead" => ("✗", Tone::Bad),
            _ => return Ok(()),
        };
        let ui = &self.cx.ui;
        let time = ui.paint_out(Tone::Dim, &self.cx.clock.now().format("%H:%M:%S").to_string());
        let told = truncate(text("text"), 100);
        ui.line(format!("{time}  {} job {} {}  {told}", ui.paint_out(tone, sign), event["id"], text("kind")))
    }

    /// What was fetched because GitHub could not deliver it.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn reconciled(&self, report: &Reconciled) -> Result {
        reconciled::tell(self.cx, report)
    }

    fn first(&self, title: &str) {
        if !self.received.swap(true, Ordering::Relaxed) && !self.cx.ui.json() {
            let ui = &self.cx.ui;
            ui.status(format!(
                "{} {title} came from GitHub, was verified, and the server took it: the App receives.",
                ui.paint(Tone::Good, "✓")
            ));
        }
    }
}

impl Sink for Combined<'_> {
    fn tell(&self, told: &Told) -> Result {
        if self.cx.ui.json() {
            self.json.tell(told)?;
        } else {
            self.text.tell(told)?;
        }
        if let Told::Notice(Notice::Forwarded { seen, reply }) = told
            && reply.is_good()
        {
            self.first(&seen.title());
        }
        Ok(())
    }
}
