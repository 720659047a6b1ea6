//! `pforge feedstocks remove`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Feedstocks;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::feedstocks::FEEDSTOCK;
use crate::cli::job::field;

/// Take a feedstock off the server
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The repository stays as it is. A feedstock with recipe runs is not removed: they are the record of its datasets.\n\nExamples:\n  pforge feedstocks remove alice/mock-feedstock\n  pforge feedstocks remove 3 --yes"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The feedstock: its repository or id
    #[arg(value_name = "OWNER/REPO|ID", add = ArgValueCompleter::new(Feedstocks))]
    feedstock: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Removes it.
///
/// # Errors
/// When there is no such feedstock, it has runs, the user says no, or the server cannot be reached.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let sure = |name: &str| {
        if args.yes || cx.ui.confirm(&format!("Take the feedstock {name} off the server?"), "--yes")? {
            return Ok(());
        }
        Err(Error::new(Kind::Interrupted, "nothing was removed"))
    };
    let row = cx.run(FEEDSTOCK.remove(&api, &args.feedstock, sure))?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "removed": row }));
    }
    cx.ui.status(format!("feedstock {} (#{}) is removed", field(&row, FEEDSTOCK.key), row["id"]));
    Ok(())
}
