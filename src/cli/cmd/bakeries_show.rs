//! `pforge bakeries show`.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Bakeries;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::feedstocks::{BAKERY, tell_runs};
use crate::cli::job::field;
use crate::cli::ui::Tone;

/// Show a bakery with its newest runs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge bakeries show local-test-bakery\n  pforge bakeries show 1 --json")]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The bakery: its name or id
    #[arg(value_name = "NAME|ID", add = ArgValueCompleter::new(Bakeries))]
    bakery: String,
}

/// Prints it; with `--json` the server's row with all of its runs.
///
/// # Errors
/// When there is no such bakery, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let row = cx.run(BAKERY.detail(&api, &args.bakery))?;
    if cx.ui.json() {
        return cx.ui.document(&row);
    }
    let name = field(&row, BAKERY.key);
    cx.ui.line(format!(
        "bakery {} · {} · {}",
        row["id"],
        cx.ui.paint_out(Tone::Strong, name),
        field(&row, "region")
    ))?;
    if !field(&row, "description").is_empty() {
        cx.ui.line(format!("  {}", field(&row, "description")))?;
    }
    tell_runs(cx, &row)?;
    cx.ui.hint(BAKERY.runs_of(name));
    Ok(())
}
