//! `pforge jobs list`.

use serde_json::Value;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::job;
use crate::cli::ui::Cell;
use crate::util::text::truncate;

/// List jobs, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge jobs list --state dead\n  pforge jobs list --key alice/mock#3 --json")]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// Only this state: ready, running, done, dead
    #[arg(long, value_name = "STATE", value_parser = ["ready", "running", "done", "dead"], hide_possible_values = true)]
    state: Option<String>,
    /// Only this kind, such as recipes.synchronize
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this key, such as owner/repo#7
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// At most this many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Continue after this cursor: `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Prints the list; with `--json` the server's page, `{"items": […], "next": …}`.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let mut query = vec![("limit", args.limit.to_string())];
    let filters = [("state", args.state), ("kind", args.kind), ("key", args.key), ("after", args.after)];
    query.extend(filters.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let page = cx.run(api.get("/jobs", &query))?;
    if cx.ui.json() {
        return cx.ui.document(&page);
    }
    let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        cx.ui.status("No jobs.");
        return Ok(());
    }
    let now = cx.clock.now();
    let rows = items.iter().map(|item| {
        vec![
            Cell::from(item["id"].to_string()),
            Cell::toned(job::field(item, "state"), job::tone(item)),
            job::field(item, "kind").into(),
            job::field(item, "key").into(),
            format!("{}/{}", item["attempts"], item["max_attempts"]).into(),
            job::age(item, "created_at", now).into(),
            truncate(job::said(item), 60).into(),
        ]
    });
    cx.ui.table(&["id", "state", "kind", "key", "tries", "age", "last word"], &rows.collect::<Vec<_>>())?;
    if let Value::String(next) = &page["next"] {
        cx.ui.hint(format!("there are more: pforge jobs list --after {next}"));
    }
    Ok(())
}
