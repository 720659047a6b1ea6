//! How what was sent is told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::send::{Answered, Sender, Sent};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::job;
use crate::cli::ui::{Tone, Ui};
use crate::proxy::Reply;
use crate::util::text::{duration, plural, truncate};

/// One delivery: what went out, and what came back.
///
/// # Errors
/// When it was not answered with success.
pub fn one(cx: &Cx, sent: &Sent) -> Result {
    let ui = &cx.ui;
    if ui.json() {
        ui.document(&sent.json())?;
    } else {
        ui.line(format!("→ {}  {}", ui.paint_out(Tone::Strong, &sent.name), sent.guid))?;
        let mut back = format!("← {}  {}", status(ui, sent.reply.status), duration(sent.reply.took));
        for job in sent.jobs.iter().flatten() {
            back += &format!("  {}", of_job(ui, job));
        }
        if sent.jobs.as_ref().is_none_or(Vec::is_empty) {
            back += &format!("  {}", ui.paint_out(Tone::Dim, &truncate(&sent.said(), 100)));
        }
        ui.line(back.trim_end())?;
    }
    if !sent.reply.is_good() {
        return Err(sent.refused());
    }
    if let Some(job) = sent.jobs.as_ref().and_then(|jobs| jobs.first()).filter(|_| !ui.json()) {
        ui.hint(format!("pforge jobs show {}", job["id"]));
    }
    Ok(())
}

/// `job 17 synchronize done`.
pub fn of_job(ui: &Ui, row: &Value) -> String {
    let state = ui.paint_out(job::tone(row), job::field(row, "state"));
    format!("job {} {} {state}", row["id"], job::field(row, "kind"))
}

/// A status in its colour.
pub fn status(ui: &Ui, status: u16) -> String {
    let tone = match status {
        200..300 => Tone::Good,
        _ => Tone::Bad,
    };
    ui.paint_out(tone, &status.to_string())
}

/// Many deliveries: how many came through, and how fast.
///
/// # Errors
/// When one was not answered with success.
pub fn many(cx: &Cx, sender: &Sender<'_>, name: &str, outcomes: &[Answered]) -> Result {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for outcome in outcomes {
        let said = outcome.as_ref().map_or_else(ToString::to_string, |reply| reply.status.to_string());
        *counts.entry(said).or_default() += 1;
    }
    let mut times: Vec<Duration> = outcomes.iter().filter_map(|outcome| Some(outcome.as_ref().ok()?.took)).collect();
    times.sort_unstable();
    // The time within which that share of a hundred was answered.
    let within = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied();
    if cx.ui.json() {
        let ms = |share| within(share).map(|time| time.as_secs_f64() * 1000.0);
        let times = json!({ "p50": ms(50), "p95": ms(95), "max": ms(100) });
        cx.ui.document(&json!({ "event": name, "sent": outcomes.len(), "outcomes": counts, "took_ms": times }))?;
    } else {
        let counts: Vec<String> = counts.iter().map(|(said, count)| format!("{count} × {said}")).collect();
        let sent = plural(outcomes.len() as u64, "delivery").replace("deliverys", "deliveries");
        let mut line = format!("→ {}  {sent}: {}", cx.ui.paint_out(Tone::Strong, name), counts.join(", "));
        if let (Some(half), Some(most), Some(slowest)) = (within(50), within(95), within(100)) {
            line += &format!("  p50 {}, p95 {}, max {}", duration(half), duration(most), duration(slowest));
        }
        cx.ui.line(line)?;
    }
    let bad = outcomes.iter().filter(|outcome| !outcome.as_ref().is_ok_and(Reply::is_good)).count();
    match outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
        Some(error) if times.is_empty() => Err(sender.silent(error)),
        _ if bad > 0 => Err(Error::failure(format!("{bad} of {} were not accepted", outcomes.len()))),
        _ => Ok(()),
    }
}
