//! `pforge runs cancel`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Runs;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::util::text::plural;

/// Stop runs that are not over
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A runner on the server's machine is ended, and what it has written stays. A job that a remote bakery took\n\
    goes on there, where pforge cannot reach; what it reports is ignored.\n\n\
    Examples:\n  pforge runs cancel 7 --yes\n  pforge runs cancel 7 --force --yes   # its server is gone for good"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The runs
    #[arg(value_name = "ID", required = true, add = ArgValueCompleter::new(Runs))]
    ids: Vec<i64>,
    /// Do not wait until it has stopped: it counts as cancelled at once
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Stops them; stops at the first that is refused.
///
/// # Errors
/// When there is no such run, it is over, the user says no, or the server cannot be reached.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let what = plural(args.ids.len() as u64, "run");
    if !args.yes && !cx.ui.confirm(&format!("Stop {what}?"), "--yes")? {
        return Err(Error::new(Kind::Interrupted, "nothing was stopped"));
    }
    let query = if args.force { &[("force", "true".to_owned())][..] } else { &[] };
    let mut answers = Vec::new();
    for id in &args.ids {
        let path = format!("/recipe_runs/{id}/cancel");
        let answer = cx.run(api.post(&path, query, None::<&()>)).map_err(|error| {
            let told = error.context(format!("run {id} was not stopped"));
            match told.kind {
                Kind::NotFound => told.hint("pforge runs list"),
                Kind::Failure => told.hint(format!("pforge runs show {id}")),
                _ => told,
            }
        })?;
        if !cx.ui.json() {
            cx.ui.status(format!("Run {id} is told to stop."));
        }
        answers.push(json!({ "run": id, "answer": answer }));
    }
    if cx.ui.json() {
        return cx.ui.document(&json!({ "items": answers }));
    }
    let ids: Vec<String> = args.ids.iter().map(i64::to_string).collect();
    cx.ui.hint(format!("pforge runs watch {}", ids.join(" ")));
    Ok(())
}
