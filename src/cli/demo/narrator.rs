//! Tells the steps: one line each, or one JSON document each.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::error::{Error, Result};
use crate::cli::ui::{Tone, Ui};
use crate::util::text;

/// What a step saw and found to be so.
#[derive(Debug, Default)]
pub struct Checks(Vec<String>);

impl Checks {
    /// Notes `what` when it is so.
    ///
    /// # Errors
    /// When it is not: the story ends here. `seen` says what was there instead.
    pub fn holds(&mut self, what: impl Into<String>, so: bool, seen: impl std::fmt::Debug) -> Result {
        let what = what.into();
        if !so {
            return Err(Error::failure(format!("this does not hold: {what}")).because(format!("seen: {seen:?}")));
        }
        self.0.push(what);
        Ok(())
    }
}

/// Tells a story on standard output.
pub struct Narrator<'a> {
    ui: &'a Ui,
    started: Instant,
    steps: usize,
    checks: usize,
}

impl<'a> Narrator<'a> {
    /// Begins.
    pub fn new(ui: &'a Ui) -> Self {
        Self { ui, started: Instant::now(), steps: 0, checks: 0 }
    }

    /// Runs a step and tells it. `name` is for programs, `act` says who does what.
    ///
    /// # Errors
    /// When something in it does not hold; that is told first.
    pub async fn step<T>(
        &mut self,
        name: &str,
        act: &str,
        work: impl AsyncFnOnce(&mut Checks) -> Result<T>,
    ) -> Result<T> {
        self.steps += 1;
        let (number, begun) = (self.steps, Instant::now());
        let mut checks = Checks::default();
        let done = work(&mut checks).await;
        self.checks += checks.0.len();
        let took = begun.elapsed();
        match &done {
            Ok(_) if self.ui.json() => self.ui.event(&json!({
                "type": "step", "step": number, "name": name, "act": act, "ok": true,
                "checks": checks.0, "ms": millis(took),
            }))?,
            Ok(_) => {
                let mark = self.ui.paint_out(Tone::Good, "✓");
                let seen = self.ui.paint_out(Tone::Dim, &checks.0.join(" · "));
                self.ui.line(format!("{number:>3} {mark} {act:<36} {seen}"))?;
            }
            Err(error) if self.ui.json() => self.ui.event(&json!({
                "type": "step", "step": number, "name": name, "act": act, "ok": false,
                "checks": checks.0, "ms": millis(took), "reason": error.message,
            }))?,
            Err(_) => {
                let mark = self.ui.paint_out(Tone::Bad, "✗");
                self.ui.line(format!("{number:>3} {mark} {act}"))?;
            }
        }
        done.map_err(|error| error.context(format!("step {number} of the demo, “{act}”, failed")))
    }

    /// Ends, when every step held.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn summary(&self, facts: &str) -> Result {
        let took = self.started.elapsed();
        if self.ui.json() {
            return self.ui.event(&json!({
                "type": "summary", "ok": true, "steps": self.steps, "checks": self.checks, "ms": millis(took),
            }));
        }
        self.ui.line(format!(
            "\n{} {} steps, {} checks in {}. {facts}",
            self.ui.paint_out(Tone::Good, "All held:"),
            self.steps,
            self.checks,
            text::duration(took),
        ))
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Checks, Narrator};
    use crate::cli::env::Env;
    use crate::cli::error::Kind;
    use crate::cli::ui::{Options, Ui};

    #[tokio::test]
    async fn a_step_that_does_not_hold_is_named_and_ends_the_story() {
        let ui = Ui::new(Options::default(), &Env::default());
        let mut tell = Narrator::new(&ui);
        tell.step("good", "Somebody acts", async |checks| checks.holds("it works", true, ())).await.expect("holds");
        let failed = tell.step("bad", "Somebody errs", async |checks| checks.holds("it works", false, 7)).await;
        let error = failed.expect_err("does not hold");
        assert_eq!(
            (error.kind, error.message.as_str()),
            (Kind::Failure, "step 2 of the demo, “Somebody errs”, failed")
        );
        assert_eq!(error.causes, ["this does not hold: it works", "seen: 7"]);
    }

    #[test]
    fn what_does_not_hold_is_said_with_what_was_seen() {
        let mut checks = Checks::default();
        checks.holds("one is one", true, ()).expect("holds");
        let error = checks.holds("answered 202", false, 501).expect_err("does not hold");
        assert_eq!(error.message, "this does not hold: answered 202");
        assert_eq!(error.causes, ["seen: 501"]);
        assert_eq!(checks.0, ["one is one"], "only what held is told");
    }
}
