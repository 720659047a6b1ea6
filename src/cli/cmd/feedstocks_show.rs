//! `pforge feedstocks show`.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Feedstocks;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::feedstocks::{FEEDSTOCK, tell_runs};
use crate::cli::job::field;
use crate::cli::ui::Tone;

/// Show a feedstock with its newest runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pforge feedstocks show pangeo-forge/staged-recipes\n  pforge feedstocks show 1 --json"
)]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The feedstock: its repository or id
    #[arg(value_name = "OWNER/REPO|ID", add = ArgValueCompleter::new(Feedstocks))]
    feedstock: String,
}

/// Prints it; with `--json` the server's row with all of its runs.
///
/// # Errors
/// When there is no such feedstock, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let row = cx.run(FEEDSTOCK.detail(&api, &args.feedstock))?;
    if cx.ui.json() {
        return cx.ui.document(&row);
    }
    let name = field(&row, FEEDSTOCK.key);
    cx.ui.line(format!(
        "feedstock {} · {} · {}",
        row["id"],
        cx.ui.paint_out(Tone::Strong, name),
        field(&row, "provider")
    ))?;
    tell_runs(cx, &row)?;
    cx.ui.hint(FEEDSTOCK.runs_of(name));
    cx.ui.hint(format!("pforge feedstocks datasets {name}"));
    Ok(())
}
