//! `pforge checks list`.

use std::time::Duration;

use crate::cli::checks::{self, Found};
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::ui::Cell;
use crate::cli::{client, duration};
use crate::util::text::{self, truncate};

/// Longer than any check should take without a word.
pub(super) const STALE: &str = "30m";

/// List the App's check runs, on the tips of branches and open pull requests
#[derive(Debug, clap::Args)]
#[command(after_help = "A run is stale when it began long ago and nobody has ended it: only the App itself can.\n\n\
    Examples:\n  \
    pforge checks list --stale\n  \
    pforge checks list --repo alice/mock --pr 3\n  \
    pforge checks list --status in_progress --json")]
pub struct Args {
    /// Only in this repository
    #[arg(short = 'R', long, value_name = "OWNER/REPO")]
    repo: Option<String>,
    /// Only on this branch, tag or commit
    #[arg(long, value_name = "REF", requires = "repo")]
    r#ref: Option<String>,
    /// Only on the head of this pull request
    #[arg(long, value_name = "N", requires = "repo", conflicts_with = "ref")]
    pr: Option<u64>,
    /// Only those that have been going on for this long [default: 30m]
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = STALE, value_parser = duration::argument)]
    stale: Option<Duration>,
    /// Only this status: queued, in_progress, completed
    #[arg(long, value_name = "STATUS", value_parser = ["queued", "in_progress", "completed"], hide_possible_values = true)]
    status: Option<String>,
}

/// Prints the list, newest first; with `--json` as one array.
///
/// # Errors
/// When GitHub refuses or cannot be asked.
pub fn run(args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let (client, app) = (client::of_app(cx, &file)?, file.need_app()?.id);
    let limit = args.stale.or_else(|| duration::parse(STALE)).unwrap_or_default();
    let mut found = cx.run(async {
        let mut all = Vec::new();
        for repo in checks::repositories(cx, &client, args.repo.as_deref()).await? {
            let git_ref = match args.pr {
                Some(number) => Some(checks::head_of(&client, &repo, number).await?),
                None => args.r#ref.clone(),
            };
            all.extend(checks::runs(cx, &client, app, &repo, git_ref.as_deref()).await?);
        }
        Ok(all)
    })?;
    let now = cx.clock.now();
    found.retain(|found| args.status.as_ref().is_none_or(|status| *status == found.run.status));
    found.retain(|found| args.stale.is_none() || found.is_stale(now, limit));
    if cx.ui.json() {
        return cx.ui.document(&found.iter().map(|found| found.to_json(now, limit)).collect::<Vec<_>>());
    }
    if found.is_empty() {
        cx.ui.status("No check runs.");
        return Ok(());
    }
    let row = |found: &Found| {
        let (run, stale) = (&found.run, found.is_stale(now, limit));
        let state = run.conclusion.as_deref().unwrap_or(if stale { "stale" } else { &run.status });
        vec![
            Cell::from(run.id.to_string()),
            Cell::toned(state, found.tone(stale)),
            truncate(&run.name, 40).into(),
            found.repo.clone().into(),
            run.head_sha.chars().take(7).collect::<String>().into(),
            found.age(now).map(text::duration).unwrap_or_default().into(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    cx.ui.table(&["id", "state", "name", "repository", "commit", "age"], &rows)?;
    let stale = found.iter().filter(|found| found.is_stale(now, limit)).count();
    if stale > 0 {
        cx.ui.hint(format!("{}: pforge checks cancel --stale", text::plural(stale as u64, "stale run")));
    }
    Ok(())
}
