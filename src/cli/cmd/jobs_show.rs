//! `pforge jobs show`.

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::job;
use crate::cli::outline::{self, Line};
use crate::cli::ui::Tone;

/// Show all that is known of a job
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pforge jobs show 17")]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The job
    #[arg(value_name = "ID")]
    id: u64,
}

/// Prints the job, with what it was asked and what it has made so far as outlines.
///
/// # Errors
/// When there is no such job, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let row = cx.run(api.get(&format!("/jobs/{}", args.id), &[]))?;
    if cx.ui.json() {
        return cx.ui.document(&row);
    }
    for Line { label, text } in outline::lines(&row) {
        if text.is_empty() {
            cx.ui.line(cx.ui.paint_out(Tone::Dim, label.trim_end()))?;
            continue;
        }
        let name = cx.ui.paint_out(Tone::Dim, &label);
        let text = if label.trim_end() == "state" { cx.ui.paint_out(job::tone(&row), &text) } else { text };
        cx.ui.line(format!("{name}  {text}"))?;
    }
    if let Some(run) = job::field(&row, "key").strip_prefix("recipe-run/") {
        cx.ui.hint(format!("it works for recipe run {run}: pforge runs show {run}"));
    }
    if job::field(&row, "state") == "dead" {
        cx.ui.hint(format!("to run it again: pforge jobs retry {}", args.id));
    }
    Ok(())
}
