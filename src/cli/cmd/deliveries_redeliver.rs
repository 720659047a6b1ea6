//! `pforge deliveries redeliver`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap_complete::engine::ArgValueCompleter;
use serde::Deserialize;
use serde_json::json;

use crate::cli::client;
use crate::cli::complete::Deliveries;
use crate::cli::cx::Cx;
use crate::cli::deliveries::redeliver::{Outcome, Redelivered, ask, distinct, failed, newest, wait};
use crate::cli::deliveries::when::{self, When};
use crate::cli::deliveries::{Sources, Which, name};
use crate::cli::duration;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::ui::{Cell, Tone};
use crate::github::api::apps::HookDelivery;
use crate::github::{Auth, Call, Client};
use crate::util::text::{self, plural};

/// More than this many are not redelivered without a question.
const MANY: usize = 20;

/// Ask GitHub to deliver again: some events, or all that failed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "An event counts as failed when none of its attempts was answered with 2xx. GitHub keeps its log\n\
    for three days (seven on an Enterprise Server) and never tries again by itself.\n\n\
    Examples:\n  pforge deliveries redeliver --failed --since 2h --dry-run\n  \
    pforge deliveries redeliver --failed --since 2h --event pull_request\n  \
    pforge deliveries redeliver 8f2c1d40 --no-wait\n\n\
    Exit code 1 when an event could not be delivered this time either."
)]
pub struct Args {
    /// Which: GUID, the beginning of one, or GitHub's number of an attempt
    #[arg(add = ArgValueCompleter::new(Deliveries), value_name = "ID", required_unless_present = "failed", conflicts_with = "failed")]
    ids: Vec<String>,
    /// All events that no attempt could deliver
    #[arg(long)]
    failed: bool,
    /// Only those that failed since then: 2h, 3d, or a time [default: as long as GitHub keeps them]
    #[arg(long, value_name = "TIME", value_parser = when::argument, requires = "failed")]
    since: Option<When>,
    /// Only those that failed before
    #[arg(long, value_name = "TIME", value_parser = when::argument, requires = "failed")]
    until: Option<When>,
    /// Only this event, or event.action
    #[arg(long, value_name = "EVENT", requires = "failed")]
    event: Option<String>,
    /// Only events of this repository
    #[arg(long, value_name = "OWNER/REPO", requires = "failed")]
    repo: Option<String>,
    /// Show what would be redelivered
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not wait for what comes of it
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for what comes of it
    #[arg(long, value_name = "TIME", value_parser = duration::argument, default_value = "60s")]
    timeout: Duration,
    /// Do not ask, however many there are
    #[arg(short, long)]
    yes: bool,
}

/// A repository, as far as it matters here.
#[derive(Deserialize)]
struct Repository {
    id: i64,
}

/// Redelivers and tells what came of it.
///
/// # Errors
/// When GitHub does not answer, or refuses; exit code 1 when an event failed again.
pub fn run(args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let client = client::of_app(cx, &file)?;
    cx.run(async {
        let attempts = choose(&args, cx, &client).await?;
        if attempts.is_empty() {
            return nothing(&args, cx);
        }
        if args.dry_run {
            return preview(cx, &attempts);
        }
        let question = format!("Redeliver {}?", plural(attempts.len() as u64, "event"));
        if attempts.len() > MANY && !args.yes && cx.ui.interactive() && !cx.ui.confirm(&question, "--yes")? {
            return Err(Error::new(Kind::Interrupted, "nothing was redelivered"));
        }
        let since = newest(&client).await?;
        let mut done = ask(&client, &cx.ui, attempts).await?;
        if !args.no_wait {
            wait(&client, &cx.ui, &mut done, since, args.timeout).await?;
        }
        tell(cx, &done)
    })
}

async fn choose(args: &Args, cx: &Cx, client: &Client) -> Result<Vec<HookDelivery>> {
    if args.failed {
        let repository = match &args.repo {
            Some(repo) => Some(repository_id(client, repo).await?),
            None => None,
        };
        let which = Which { event: args.event.clone(), ..Which::default() };
        let wish = which.wish().between(args.since, args.until, cx.clock.now());
        let _spinner = cx.ui.spinner("Reading GitHub's log of deliveries");
        return Ok(failed(client, &wish, repository).await?.into_iter().map(|missed| missed.newest).collect());
    }
    let mut log = Sources::github().open(cx).await?;
    let mut attempts = Vec::new();
    for id in &args.ids {
        let known = log.find(id).await?;
        let newest = known.attempts.last().cloned();
        attempts.push(newest.ok_or_else(|| Error::new(Kind::NotFound, format!("no delivery {id}")))?);
    }
    Ok(distinct(attempts))
}

/// GitHub's log names repositories by number only.
async fn repository_id(client: &Client, full_name: &str) -> Result<i64> {
    let valid = full_name.split('/').count() == 2 && full_name.split('/').all(|part| !part.is_empty());
    let path = format!("/repos/{full_name}");
    let auth = Auth::for_endpoint(&path, None).filter(|_| valid);
    let auth = auth.ok_or_else(|| Error::usage(format!("{full_name:?} is not owner/repo")))?;
    let found: Repository = client.fetch(&Call::get(path, auth)).await?;
    Ok(found.id)
}

fn nothing(args: &Args, cx: &Cx) -> Result {
    if cx.ui.json() {
        return cx
            .ui
            .document(&json!({ "dry_run": args.dry_run, "redelivered": 0, "ok": 0, "failed": 0, "deliveries": [] }));
    }
    cx.ui.status("Nothing to redeliver: no event failed that was asked for.");
    Ok(())
}

fn preview(cx: &Cx, attempts: &[HookDelivery]) -> Result {
    if cx.ui.json() {
        return cx
            .ui
            .document(&json!({ "dry_run": true, "redelivered": 0, "ok": 0, "failed": 0, "deliveries": attempts }));
    }
    let now = cx.clock.now();
    let rows: Vec<Vec<Cell>> = attempts.iter().map(|attempt| row(attempt, now)).collect();
    cx.ui.table(&["guid", "event", "attempt", "when", "failed with"], &rows)?;
    cx.ui.status(format!("{} would be redelivered.", plural(attempts.len() as u64, "event")));
    Ok(())
}

fn row(attempt: &HookDelivery, now: DateTime<Utc>) -> Vec<Cell> {
    let ago = (now - attempt.delivered_at).to_std().unwrap_or_default();
    vec![
        attempt.guid.as_str().into(),
        Cell::toned(name(&attempt.event, attempt.action.as_deref()), Tone::Strong),
        attempt.id.to_string().into(),
        Cell::toned(format!("{} ago", text::duration(ago)), Tone::Dim),
        status(attempt),
    ]
}

/// `202`, or what went wrong.
fn status(attempt: &HookDelivery) -> Cell {
    if attempt.is_good() {
        return Cell::toned(attempt.status_code.to_string(), Tone::Good);
    }
    let known = attempt.status.contains(&attempt.status_code.to_string()) || attempt.status_code == 0;
    let told = if known { attempt.status.clone() } else { format!("{} ({})", attempt.status, attempt.status_code) };
    Cell::toned(told, Tone::Bad)
}

fn tell(cx: &Cx, done: &[Redelivered]) -> Result {
    let count = |fits: fn(&Outcome) -> bool| done.iter().filter(|one| fits(&one.outcome)).count();
    let ok = count(|outcome| matches!(outcome, Outcome::Ok(_)));
    let again = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let unknown = count(|outcome| matches!(outcome, Outcome::Unknown));
    let refused = count(|outcome| matches!(outcome, Outcome::Refused(_)));
    let redelivered = done.len() - refused;
    if cx.ui.json() {
        cx.ui.document(&json!({
            "dry_run": false,
            "redelivered": redelivered,
            "ok": ok,
            "failed": again,
            "unknown": unknown,
            "refused": refused,
            "deliveries": done.iter().map(Redelivered::to_json).collect::<Vec<_>>(),
        }))?;
    } else {
        let rows: Vec<Vec<Cell>> = done.iter().map(outcome).collect();
        cx.ui.table(&["guid", "event", "outcome", "took"], &rows)?;
        let mut summary = format!("{redelivered} redelivered");
        for (number, what) in [
            (ok, "ok"),
            (again, "failed again"),
            (unknown, "without an outcome so far"),
            (refused, "refused by GitHub"),
        ] {
            if number > 0 {
                summary += &format!(", {number} {what}");
            }
        }
        cx.ui.status(summary);
    }
    if again + unknown + refused > 0 { Err(Error::told(1)) } else { Ok(()) }
}

fn outcome(one: &Redelivered) -> Vec<Cell> {
    let (told, took) = match &one.outcome {
        Outcome::Asked => (Cell::toned("asked for", Tone::Dim), None),
        Outcome::Ok(attempt) | Outcome::Failed(attempt) => (status(attempt), attempt.duration),
        Outcome::Unknown => (Cell::toned("no outcome yet", Tone::Warn), None),
        Outcome::Refused(reason) => (Cell::toned(reason, Tone::Bad), None),
    };
    let took = took.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(text::duration);
    vec![
        one.before.guid.as_str().into(),
        Cell::toned(name(&one.before.event, one.before.action.as_deref()), Tone::Strong),
        told,
        took.unwrap_or_default().into(),
    ]
}
