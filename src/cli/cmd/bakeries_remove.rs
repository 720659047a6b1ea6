//! `pforge bakeries remove`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Bakeries;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::feedstocks::BAKERY;
use crate::cli::job::field;

/// Take a bakery off the server
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Its configuration stays as it is. A bakery with recipe runs is not removed: they are the record of what it built.\n\nExamples:\n  pforge bakeries remove local-test-bakery\n  pforge bakeries remove 3 --yes"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The bakery: its name or id
    #[arg(value_name = "NAME|ID", add = ArgValueCompleter::new(Bakeries))]
    bakery: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Removes it.
///
/// # Errors
/// When there is no such bakery, it has runs, the user says no, or the server cannot be reached.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let sure = |name: &str| {
        if args.yes || cx.ui.confirm(&format!("Take the bakery {name} off the server?"), "--yes")? {
            return Ok(());
        }
        Err(Error::new(Kind::Interrupted, "nothing was removed"))
    };
    let row = cx.run(BAKERY.remove(&api, &args.bakery, sure))?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "removed": row }));
    }
    cx.ui.status(format!("bakery {} (#{}) is removed", field(&row, BAKERY.key), row["id"]));
    Ok(())
}
