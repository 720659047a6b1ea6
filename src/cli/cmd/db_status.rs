//! `pforge db status`.

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::database::{self, DatabaseFlags};
use crate::cli::error::{Error, Result};
use crate::cli::ui::{Cell, Tone};
use crate::store::migrate::{self, MigrationStatus};
use crate::util::text::plural;

/// List the migrations and whether each is applied
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge db status\n  pforge db status --exit-code && pforge serve --no-migrate")]
pub struct Args {
    #[command(flatten)]
    database: DatabaseFlags,
    /// Exit with 1 unless every migration is applied and unchanged
    #[arg(long)]
    exit_code: bool,
}

/// Prints the list; with `--json` `{"migrations": […], "pending": N, "foreign": N}`, where foreign
/// counts those that were changed or are unknown here.
///
/// # Errors
/// When the database cannot be read; with `--exit-code`, when the schema is not ours.
pub fn run(args: Args, cx: &Cx) -> Result {
    let url = args.database.resolve(cx)?;
    let rows = cx.run(database::with(&url, async |db| Ok(migrate::status(db).await?)))?;
    let count = |states: &[&str]| rows.iter().filter(|row| states.contains(&row.state)).count();
    let (pending, foreign) = (count(&["pending"]), count(&["changed", "unknown"]));
    if cx.ui.json() {
        cx.ui.document(&json!({ "migrations": rows, "pending": pending, "foreign": foreign }))?;
    } else {
        cx.ui.table(&["migration", "state", "applied at"], &rows.iter().map(columns).collect::<Vec<_>>())?;
    }
    let error = match (pending, foreign) {
        (0, 0) => return Ok(()),
        (_, 0) => {
            let told = format!("{} not applied", plural(pending as u64, "migration"));
            Error::failure(told).hint("pforge db migrate")
        }
        // Nothing that this pforge could run makes such a schema its own.
        _ => Error::failure(format!("{} not of this pforge", plural(foreign as u64, "migration")))
            .because("the database was migrated by another version: serve it with that one"),
    };
    if args.exit_code {
        return Err(error);
    }
    let advice = error.tries.first().or(error.causes.first());
    cx.ui.hint(format!("{}: {}", error.message, advice.map_or("", String::as_str)));
    Ok(())
}

fn columns(row: &MigrationStatus) -> Vec<Cell> {
    let tone = match row.state {
        "applied" => Tone::Good,
        "pending" => Tone::Warn,
        _ => Tone::Bad,
    };
    let at = row.applied_at.map_or("–".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string());
    vec![format!("{:04} {}", row.version, row.name).into(), Cell::toned(row.state, tone), at.into()]
}
