//! `pforge jobs retry`.

use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::{Kind, Result};

/// Put dead jobs back in the queue, with fresh attempts
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pforge jobs retry 17\n  pforge jobs retry 17 18 --force   # also when they are done"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The jobs
    #[arg(value_name = "ID", required = true)]
    ids: Vec<u64>,
    /// Also run jobs again that are done
    #[arg(long)]
    force: bool,
}

/// Queues them; stops at the first that is refused.
///
/// # Errors
/// When there is no such job, it is running or done, or the server cannot be reached.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let query = if args.force { &[("force", "true".to_owned())][..] } else { &[] };
    let mut queued = Vec::new();
    for id in &args.ids {
        let row = cx.run(api.post(&format!("/jobs/{id}/retry"), query, None::<&()>)).map_err(|error| {
            let told = error.context(format!("job {id} was not queued"));
            match told.kind {
                Kind::NotFound => told.hint("pforge jobs list"),
                Kind::Failure if !args.force => told.hint(format!("pforge jobs retry {id} --force")),
                _ => told,
            }
        })?;
        if !cx.ui.json() {
            cx.ui.status(format!("Job {id} is queued again."));
        }
        queued.push(row);
    }
    if cx.ui.json() { cx.ui.document(&json!({ "items": queued })) } else { Ok(()) }
}
