//! `pforge jobs drop`.

use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::util::text::plural;

/// Delete jobs that are not running
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A job that is dropped is never done, so it asks first.\n\nExample:\n  pforge jobs drop 17 --yes"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The jobs
    #[arg(value_name = "ID", required = true)]
    ids: Vec<u64>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Deletes them; stops at the first that is refused.
///
/// # Errors
/// When there is no such job, it is running, the user says no, or the server cannot be reached.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let what = plural(args.ids.len() as u64, "job");
    if !args.yes && !cx.ui.confirm(&format!("Drop {what}, never to be done?"), "--yes")? {
        return Err(Error::new(Kind::Interrupted, "nothing was dropped"));
    }
    for id in &args.ids {
        cx.run(api.delete(&format!("/jobs/{id}")))
            .map_err(|error| error.context(format!("job {id} was not dropped")))?;
        if !cx.ui.json() {
            cx.ui.status(format!("Job {id} is dropped."));
        }
    }
    if cx.ui.json() { cx.ui.document(&json!({ "dropped": args.ids })) } else { Ok(()) }
}
