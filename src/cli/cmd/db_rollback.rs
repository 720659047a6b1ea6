//! `pforge db rollback`.

use std::time::Duration;

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::database::{self, DatabaseFlags, tell};
use crate::cli::duration;
use crate::cli::error::{Error, Kind, Result};
use crate::store::migrate;
use crate::util::text::plural;

/// Undo the last migrations, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Undoing a migration can drop tables with their data, so it asks first.\n\nExamples:\n  \
    pforge db rollback\n  pforge db rollback --steps 2 --yes")]
pub struct Args {
    #[command(flatten)]
    database: DatabaseFlags,
    /// How many to undo
    #[arg(long, value_name = "N", default_value_t = 1)]
    steps: usize,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// How long to wait for another process that migrates
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration::argument)]
    lock_timeout: Duration,
}

/// Rolls back.
///
/// # Errors
/// When nothing can be undone, or the user says no.
pub fn run(args: Args, cx: &Cx) -> Result {
    let url = args.database.resolve(cx)?;
    let what = plural(args.steps as u64, "migration");
    if !args.yes && !cx.ui.confirm(&format!("Undo {what}, with the data that only they hold?"), "--yes")? {
        return Err(Error::new(Kind::Interrupted, "nothing was undone"));
    }
    let progress = |progress| tell(&cx.ui, "Undoing", "Undone", &progress);
    let undone = cx
        .run(database::with(&url, async |db| Ok(migrate::down(db, args.steps, args.lock_timeout, &progress).await?)))?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "undone": undone }));
    }
    cx.ui.status(format!("Undone: {}.", plural(undone as u64, "migration")));
    Ok(())
}
