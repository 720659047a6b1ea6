//! `pforge deliveries list`.

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::deliveries::{Event, Filter, Log, Sources, answered, clock, local_status, short};
use crate::cli::error::Result;
use crate::cli::ui::{Cell, Tone};

/// List deliveries: GitHub's log and the local store as one
///
/// One line per event, newest first, with all attempts to deliver it. Times are UTC.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge deliveries list --since 2h --status failed\n  \
    pforge deliveries list --event pull_request.opened --repo alice/mock\n  \
    pforge deliveries list --text 'fix the dates' --json")]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Continue after this cursor: `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[command(flatten)]
    sources: Sources,
}

/// Prints the list; with `--json` a page, `{"items": […], "next": …}`.
///
/// # Errors
/// When no side answers, or the cursor is of another list.
pub fn run(args: Args, cx: &Cx) -> Result {
    let wish = args.filter.seen_from(cx.clock.now());
    let (log, page) = cx.run(async {
        let mut log = args.sources.open(cx).await?;
        let page = log.page(&wish, args.limit as usize, args.after.as_deref()).await?;
        Ok((log, page))
    })?;
    if cx.ui.json() {
        let items: Vec<_> = page.events.iter().map(Event::to_json).collect();
        return cx.ui.document(&json!({ "items": items, "next": page.next }));
    }
    if page.events.is_empty() {
        cx.ui.status("No deliveries.");
    } else {
        let rows: Vec<_> = page.events.iter().map(|event| row(event, &log)).collect();
        cx.ui.table(&["time", "delivery", "event", "repository", "github", "local", "sent"], &rows)?;
    }
    if log.github.as_ref().is_some_and(|tape| tape.is_cut()) && page.next.is_none() {
        cx.ui.warn("GitHub's log is longer than was read; --since and --until narrow it down");
    }
    if let Some(next) = page.next {
        cx.ui.hint(format!("there are more: the same command with --after {next}"));
    }
    Ok(())
}

fn row(event: &Event, log: &Log) -> Vec<Cell> {
    let absent = || Cell::toned("–", Tone::Dim);
    let local = match &event.local {
        Some(row) => local_status(row),
        None if log.local.is_some() => Cell::toned("missing", Tone::Bad),
        None => absent(),
    };
    let sent = match (event.count(), event.is_redelivered()) {
        (0 | 1, false) => String::new(),
        (count, true) => format!("×{count} redelivered"),
        (count, false) => format!("×{count}"),
    };
    vec![
        Cell::toned(clock(event.at()), Tone::Dim),
        short(&event.guid).into(),
        Cell::toned(event.name(), Tone::Strong),
        event.repo.as_deref().unwrap_or_default().into(),
        event.attempts.last().map_or_else(absent, answered),
        local,
        sent.into(),
    ]
}
