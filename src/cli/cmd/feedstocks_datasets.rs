//! `pforge feedstocks datasets`.

use clap_complete::engine::ArgValueCompleter;

use crate::cli::api::ServerFlag;
use crate::cli::complete::Feedstocks;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::feedstocks::FEEDSTOCK;
use crate::cli::job::field;
use crate::cli::runs::kind;
use crate::cli::ui::{Cell, Tone};

/// How many datasets are listed at most.
const MOST: usize = 10_000;

/// List the datasets of a feedstock: what its successful runs left to open
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge feedstocks datasets alice/mock-feedstock --production\n  \
    pforge feedstocks datasets 3 --json")]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The feedstock: its repository or id
    #[arg(value_name = "OWNER/REPO|ID", add = ArgValueCompleter::new(Feedstocks))]
    feedstock: String,
    /// Only what production made
    #[arg(long)]
    production: bool,
    /// Only what tests made
    #[arg(long, conflicts_with = "production")]
    test: bool,
}

/// Prints the list; with `--json` as one array.
///
/// # Errors
/// When there is no such feedstock, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let wanted = if args.production {
        "production"
    } else if args.test {
        "test"
    } else {
        "all"
    };
    let (rows, _) = cx.run(async {
        let row = FEEDSTOCK.find(&api, &args.feedstock).await?;
        api.rows(&format!("/feedstocks/{}/datasets", row["id"]), &[("type", wanted.to_owned())], MOST).await
    })?;
    if cx.ui.json() {
        return cx.ui.document(&rows);
    }
    if rows.is_empty() {
        cx.ui.status("No datasets.");
        cx.ui.hint(format!("pforge runs list --feedstock {}", args.feedstock));
        return Ok(());
    }
    let cells = rows.iter().map(|row| {
        vec![
            Cell::from(row["id"].to_string()),
            kind(row).into(),
            field(row, "recipe_id").into(),
            field(row, "dataset_type").into(),
            Cell::toned(field(row, "dataset_public_url"), Tone::Link),
        ]
    });
    cx.ui.table(&["run", "kind", "recipe", "format", "address"], &cells.collect::<Vec<_>>())
}
