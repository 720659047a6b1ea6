//! `pforge checks cancel`.

use std::time::Duration;

use super::checks_list::STALE;
use crate::cli::checks::{self, Found, Named};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::{client, duration};
use crate::github::api::checks::{Finish, Output};
use crate::util::text;

/// End check runs as cancelled, with the reason
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge checks cancel 9\n  \
    pforge checks cancel --stale --dry-run\n  \
    pforge checks cancel --stale 2h --repo alice/mock --reason 'the worker was restarted' --yes")]
pub struct Args {
    /// The runs: ids, or addresses of their pages
    #[arg(value_name = "ID", required_unless_present = "stale", conflicts_with = "stale")]
    runs: Vec<Named>,
    /// All runs that have been going on for this long [default: 30m]
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = STALE, value_parser = duration::argument)]
    stale: Option<Duration>,
    /// Only in this repository
    #[arg(short = 'R', long, value_name = "OWNER/REPO")]
    repo: Option<String>,
    /// Why, for whoever reads the run's page
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Ends the runs and prints their pages; with `--json` an array of them.
///
/// # Errors
/// When one cannot be found or ended.
pub fn run(args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let (client, app) = (client::of_app(cx, &file)?, file.need_app()?.id);
    cx.run(async {
        let now = cx.clock.now();
        let repo = args.repo.as_deref();
        let found = match args.stale {
            None => checks::by_name(cx, &client, &args.runs, repo).await?,
            Some(limit) => {
                let mut stale = Vec::new();
                for repo in checks::repositories(cx, &client, repo).await? {
                    let runs = checks::runs(cx, &client, app, &repo, None).await?;
                    stale.extend(runs.into_iter().filter(|found| found.is_stale(now, limit)));
                }
                stale
            }
        };
        if found.is_empty() {
            cx.ui.status("No check run is stale.");
            return if cx.ui.json() { cx.ui.document(&[(); 0]) } else { Ok(()) };
        }
        if args.dry_run {
            return rehearse(cx, &found, "cancelled");
        }
        if args.stale.is_some() && found.len() > 1 && !args.yes {
            found.iter().for_each(|found| cx.ui.status(format!("  {}", found.describe())));
            if !cx.ui.confirm(&format!("Cancel these {} check runs?", found.len()), "--yes")? {
                return Ok(());
            }
        }
        let end = |found: &Found| Finish {
            conclusion: "cancelled".to_owned(),
            completed_at: now,
            output: Some(output(args.reason.as_deref(), found.age(now))),
            annotations: Vec::new(),
        };
        checks::finish(cx, &client, &found, end).await
    })
}

fn output(reason: Option<&str>, age: Option<Duration>) -> Output {
    let reason = reason.map_or_else(
        || match age {
            Some(age) => format!("It had been going on for {} and nobody ended it.", text::duration(age)),
            None => "It was ended by hand.".to_owned(),
        },
        str::to_owned,
    );
    Output { title: "Cancelled".to_owned(), summary: reason, text: None }
}

/// Tells which runs would be ended, and how.
///
/// # Errors
/// As [`crate::cli::ui::Ui::raw`].
pub(super) fn rehearse(cx: &Cx, found: &[Found], conclusion: &str) -> Result {
    if cx.ui.json() {
        let now = cx.clock.now();
        return cx.ui.document(&found.iter().map(|found| found.to_json(now, Duration::MAX)).collect::<Vec<_>>());
    }
    for found in found {
        cx.ui.line(format!("{} would be {conclusion}, is {}", found.describe(), found.run.status))?;
    }
    Ok(())
}
