//! `pforge feedstocks list`.

use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::feedstocks::FEEDSTOCK;
use crate::cli::job::field;
use crate::cli::ui::Cell;

/// List feedstocks
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge feedstocks list\n  pforge feedstocks list --json")]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// At most this many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Continue after this feedstock: `next` of the page before
    #[arg(long, value_name = "ID")]
    after: Option<u64>,
}

/// Prints the list; with `--json` a page, `{"items": […], "next": …}`.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let after: Vec<_> = args.after.map(|after| ("after", after.to_string())).into_iter().collect();
    let (rows, next) = cx.run(api.rows(FEEDSTOCK.path, &after, args.limit as usize))?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "items": rows, "next": next }));
    }
    if rows.is_empty() {
        cx.ui.status("No feedstocks.");
        cx.ui.hint("pforge feedstocks add OWNER/REPO");
        return Ok(());
    }
    let cells = rows
        .iter()
        .map(|row| vec![Cell::from(row["id"].to_string()), field(row, "spec").into(), field(row, "provider").into()]);
    cx.ui.table(&["id", "spec", "provider"], &cells.collect::<Vec<_>>())?;
    if let Some(next) = next {
        cx.ui.hint(format!("there are more: pforge feedstocks list --after {next}"));
    }
    Ok(())
}
