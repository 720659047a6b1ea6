//! `pforge jobs show`.

use serde_json::Value;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::job;
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

/// Prints the job.
///
/// # Errors
/// When there is no such job, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let row = cx.run(api.get(&format!("/jobs/{}", args.id), &[]))?;
    if cx.ui.json() {
        return cx.ui.document(&row);
    }
    let fields = row.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let text = if name == "state" { cx.ui.paint_out(job::tone(&row), &text) } else { text };
        cx.ui.line(format!("{}  {text}", cx.ui.paint_out(Tone::Dim, &format!("{name:<12}"))))?;
    }
    if job::field(&row, "state") == "dead" {
        cx.ui.hint(format!("to run it again: pforge jobs retry {}", args.id));
    }
    Ok(())
}
