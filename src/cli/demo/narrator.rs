//! Tells the story: one line for each arrow of a diagram, or one JSON document.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::diagrams::{Diagram, Section};
use crate::cli::error::{Error, Result};
use crate::cli::ui::{Tone, Ui};
use crate::util::text;

/// What was seen, and found to be so.
#[derive(Debug, Default)]
pub struct Checks {
    said: Vec<String>,
    count: usize,
}

impl Checks {
    /// Notes `what` when it is so.
    ///
    /// # Errors
    /// When it is not: the story ends here. `seen` says what was there instead.
    pub fn holds(&mut self, what: impl Into<String>, so: bool, seen: impl Debug) -> Result {
        let what = what.into();
        self.quietly(&what, so, seen)?;
        self.said.push(what);
        Ok(())
    }

    /// A check that is worth no words when it holds.
    ///
    /// # Errors
    /// When it does not.
    pub fn quietly(&mut self, what: &str, so: bool, seen: impl Debug) -> Result {
        if !so {
            let seen = text::truncate(&format!("{seen:?}"), 2000);
            return Err(Error::failure(format!("this does not hold: {what}")).because(format!("seen: {seen}")));
        }
        self.count += 1;
        Ok(())
    }
}

/// Tells a story on standard output.
pub struct Narrator<'a> {
    ui: &'a Ui,
    started: Instant,
    told: BTreeSet<(u8, u8)>,
    diagram: Option<&'static Diagram>,
    section: Option<&'static Section>,
    lines: usize,
    checks: usize,
}

/// A line, before it is told.
struct Line<'a> {
    /// The number of its arrow.
    number: Option<u8>,
    /// Who acts on whom.
    between: String,
    /// What is done.
    what: &'a str,
    /// The document for programs, without what was seen.
    event: Value,
}

impl<'a> Narrator<'a> {
    /// Begins.
    pub fn new(ui: &'a Ui) -> Self {
        Self { ui, started: Instant::now(), told: BTreeSet::new(), diagram: None, section: None, lines: 0, checks: 0 }
    }

    /// The first line: what this is.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn title(&self, about: &str) -> Result {
        if self.ui.json() {
            return self.ui.event(&json!({ "type": "title", "about": about }));
        }
        self.ui.line(format!("{} · {about}\n", self.ui.paint_out(Tone::Strong, "pforge demo")))
    }

    /// Turns to a diagram.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn begin(&mut self, diagram: &'static Diagram) -> Result {
        (self.diagram, self.section) = (Some(diagram), None);
        if self.ui.json() {
            return self.ui.event(&json!({ "type": "diagram", "diagram": diagram.number, "title": diagram.title }));
        }
        let title = format!("Diagram {} · {}", diagram.number, diagram.title);
        self.ui.line(format!("\n{}", self.ui.paint_out(Tone::Strong, &title)))
    }

    /// Leaves the diagrams.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn end_of_diagrams(&mut self) -> Result {
        (self.diagram, self.section) = (None, None);
        if self.ui.json() { Ok(()) } else { self.ui.line("") }
    }

    /// Tells an arrow of the diagram, once `work` has seen that it happened.
    ///
    /// # Errors
    /// When something in it does not hold; that is told first.
    pub async fn arrow<T>(&mut self, number: u8, work: impl AsyncFnOnce(&mut Checks) -> Result<T>) -> Result<T> {
        let found = self.diagram.and_then(|diagram| Some((diagram, diagram.arrow(number)?)));
        let Some((diagram, (section, arrow))) = found else {
            return Err(Error::failure(format!("the diagram has no arrow {number}")));
        };
        if !self.section.is_some_and(|known| std::ptr::eq(known, section)) {
            self.section = Some(section);
            self.heading(section.title)?;
        }
        let sign = if arrow.dashed { "⇢" } else { "→" };
        let between = match (arrow.from, arrow.to) {
            (from, to) if from == to => from.short().to_owned(),
            (from, to) => format!("{} {sign} {}", from.short(), to.short()),
        };
        let event = json!({
            "type": "arrow", "diagram": diagram.number, "number": number, "section": section.title,
            "from": arrow.from.name(), "to": arrow.to.name(), "what": arrow.what,
        });
        let done = self.line(Line { number: Some(number), between, what: arrow.what, event }, work).await;
        let done = done.map_err(|error| {
            let what = format!("{} → {}: {}", arrow.from.name(), arrow.to.name(), arrow.what);
            error.context(format!("arrow {number} of diagram {}, “{what}”, failed", diagram.number))
        })?;
        self.told.insert((diagram.number, number));
        Ok(done)
    }

    /// Tells what is no arrow: preparations, and what does not fit into a diagram. `name` is for
    /// programs.
    ///
    /// # Errors
    /// When something in it does not hold; that is told first.
    pub async fn aside<T>(
        &mut self,
        name: &str,
        what: &str,
        work: impl AsyncFnOnce(&mut Checks) -> Result<T>,
    ) -> Result<T> {
        let event = json!({ "type": "aside", "name": name, "what": what });
        let done = self.line(Line { number: None, between: String::new(), what, event }, work).await;
        done.map_err(|error| error.context(format!("“{what}” failed")))
    }

    /// A loop of the diagram begins anew.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn again(&mut self, why: &str) -> Result {
        if self.ui.json() {
            return self.ui.event(&json!({ "type": "again", "why": why }));
        }
        self.ui.line(format!("\n{}", self.ui.paint_out(Tone::Dim, &format!("↻ {why}"))))
    }

    fn heading(&self, title: &str) -> Result {
        if self.ui.json() { Ok(()) } else { self.ui.line(format!("\n{}", self.ui.paint_out(Tone::Strong, title))) }
    }

    async fn line<T>(&mut self, line: Line<'_>, work: impl AsyncFnOnce(&mut Checks) -> Result<T>) -> Result<T> {
        self.lines += 1;
        let (begun, mut checks) = (Instant::now(), Checks::default());
        let done = work(&mut checks).await;
        self.checks += checks.count;
        let Line { number, between, what, mut event } = line;
        if self.ui.json() {
            event["evidence"] = json!(checks.said);
            event["ok"] = done.is_ok().into();
            event["ms"] = millis(begun.elapsed()).into();
            if let Err(error) = &done {
                event["reason"] = json!(error.message);
            }
            self.ui.event(&event)?;
            return done;
        }
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        let mark = match &done {
            Ok(_) => self.ui.paint_out(Tone::Good, "✓"),
            Err(_) => self.ui.paint_out(Tone::Bad, "✗"),
        };
        let act = if between.is_empty() { format!("{what:<66}") } else { format!("{between:<28}  {what:<36}") };
        let seen = self.ui.paint_out(Tone::Dim, &checks.said.join(" · "));
        self.ui.line(format!("{number:>3} {mark} {act}  {seen}").trim_end())?;
        done
    }

    /// Arrows of the diagram that were not told.
    pub fn missing(&self, diagram: &Diagram) -> Vec<u8> {
        diagram.arrows().map(|(number, ..)| number).filter(|&n| !self.told.contains(&(diagram.number, n))).collect()
    }

    /// Ends, when everything held. `facts` are told one a line, and in a document under their names.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn summary(&self, facts: &[(&str, String)], document: Value) -> Result {
        let took = self.started.elapsed();
        if self.ui.json() {
            let mut event = json!({
                "type": "summary", "ok": true, "arrows": self.told.len(), "lines": self.lines, "checks": self.checks,
                "ms": millis(took),
            });
            for (name, value) in document.as_object().into_iter().flatten() {
                event[name.as_str()] = value.clone();
            }
            return self.ui.event(&event);
        }
        self.ui.line(format!(
            "\n{} {} arrows of two diagrams, {} checks in {}.",
            self.ui.paint_out(Tone::Good, "All held:"),
            self.told.len(),
            self.checks,
            text::duration(took),
        ))?;
        let wide = facts.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
        for (label, fact) in facts {
            self.ui.line(format!("  {}  {fact}", self.ui.paint_out(Tone::Dim, &format!("{label:<wide$}"))))?;
        }
        Ok(())
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Checks, Narrator};
    use crate::cli::demo::diagrams::{PROPOSAL, REPAIR};
    use crate::cli::env::Env;
    use crate::cli::error::Kind;
    use crate::cli::ui::{Options, Ui};

    #[tokio::test]
    async fn an_arrow_that_does_not_hold_is_named_and_is_not_told() {
        let ui = Ui::new(Options::default(), &Env::default()).capturing().0;
        let mut tell = Narrator::new(&ui);
        tell.begin(&PROPOSAL).expect("told");
        tell.arrow(1, async |checks| checks.holds("it works", true, ())).await.expect("holds");
        let failed = tell.arrow(2, async |checks| checks.holds("it works", false, 7)).await;
        let error = failed.expect_err("does not hold");
        let named = "arrow 2 of diagram 1, “Staged Recipes Repo → pforge: webhook: PR opened”, failed";
        assert_eq!((error.kind, error.message.as_str()), (Kind::Failure, named));
        assert_eq!(error.causes, ["this does not hold: it works", "seen: 7"]);
        assert_eq!(tell.missing(&PROPOSAL), (2..=29).collect::<Vec<u8>>());
        assert_eq!(tell.missing(&REPAIR).len(), 14);
    }

    #[test]
    fn what_does_not_hold_is_said_with_what_was_seen() {
        let mut checks = Checks::default();
        checks.holds("one is one", true, ()).expect("holds");
        checks.quietly("two is two", true, ()).expect("holds");
        let error = checks.holds("answered 202", false, 501).expect_err("does not hold");
        assert_eq!(error.message, "this does not hold: answered 202");
        assert_eq!(error.causes, ["seen: 501"]);
        assert_eq!((checks.said, checks.count), (vec!["one is one".to_owned()], 2), "only what held is told");
    }
}
