//! `pforge db migrate`.

use std::time::Duration;

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::database::{self, DatabaseFlags, tell};
use crate::cli::duration;
use crate::cli::error::Result;
use crate::store::migrate;
use crate::util::text::plural;

/// Bring the schema to the version of this pforge
#[derive(Debug, clap::Args)]
#[command(after_help = "Safe to run from several processes at once: one works, the others wait.\n\nExamples:\n  \
    pforge db migrate --database-url sqlite:///$PWD/database.sqlite\n  \
    DATABASE_URL=postgres://forge@db/forge pforge db migrate")]
pub struct Args {
    #[command(flatten)]
    database: DatabaseFlags,
    /// How long to wait for another process that migrates
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration::argument)]
    lock_timeout: Duration,
}

/// Migrates.
///
/// # Errors
/// When the database cannot be reached, or its schema is not ours.
pub fn run(args: Args, cx: &Cx) -> Result {
    let url = args.database.resolve(cx)?;
    let progress = |progress| tell(&cx.ui, "Applying", "Applied", &progress);
    let applied = cx.run(database::with(&url, async |db| Ok(migrate::up(db, args.lock_timeout, &progress).await?)))?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "applied": applied }));
    }
    match applied {
        0 => cx.ui.status("The schema is up to date."),
        some => cx.ui.status(format!("The schema is up to date: {} applied.", plural(some as u64, "migration"))),
    }
    Ok(())
}
