//! `pforge runs show`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};

use crate::cli::api::ServerFlag;
use crate::cli::complete::Runs;
use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::job::{age, field};
use crate::cli::runs::{self, kind, links, state, tone, took, took_words};
use crate::cli::ui::{Cell, Tone};
use crate::util::text::{duration, truncate};

/// Lines of a trace that are shown; the last ones say what went wrong.
const TRACE: usize = 15;

/// Show a recipe run, its attempts, and why it failed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge runs show 7\n  pforge runs show 7 --json")]
pub struct Args {
    #[command(flatten)]
    server: ServerFlag,
    /// The run
    #[arg(value_name = "ID", add = ArgValueCompleter::new(Runs))]
    id: i64,
}

/// Prints it; with `--json` the server's row with `attempts` and `links`.
///
/// # Errors
/// When there is no such run, or the server cannot be reached or refuses.
pub fn run(args: Args, cx: &Cx) -> Result {
    let api = args.server.client(cx)?;
    let (mut run, attempts) =
        cx.run(async { tokio::try_join!(runs::get(&api, args.id), runs::attempts(&api, args.id)) })?;
    let links = links(cx, &api, &run);
    if cx.ui.json() {
        run["attempts"] = json!(attempts);
        run["links"] = links.into_iter().map(|(name, url)| (name.to_owned(), json!(url))).collect();
        return cx.ui.document(&run);
    }
    let now = cx.clock.now();
    let (name, kind) = (cx.ui.paint_out(Tone::Strong, field(&run, "recipe_id")), kind(&run));
    let shown = cx.ui.paint_out(tone(state(&run)), state(&run));
    cx.ui.line(format!("run {} · {name} · {kind} · {shown}", args.id))?;
    let feedstock = format!("{} (#{})", field(&run["feedstock"], "spec"), run["feedstock_id"]);
    let bakery = format!("{} ({})", field(&run["bakery"], "name"), field(&run["bakery"], "region"));
    let mut facts = vec![("feedstock", feedstock), ("bakery", bakery), ("commit", field(&run, "head_sha").to_owned())];
    let at = |name| runs::time(&run, name).map(|at| format!("{} UTC", at.format("%Y-%m-%d %H:%M:%S")));
    let queued = state(&run) == "queued";
    let began = if queued { "queued" } else { "started" };
    facts.extend(at("started_at").map(|at| (began, format!("{at}, {} ago", age(&run, "started_at", now)))));
    let took = took(&run, "completed_at", now).map(duration);
    facts.extend(at("completed_at").map(|at| ("ended", took.map_or(at.clone(), |took| format!("{at}, after {took}")))));
    let dataset = run["dataset_type"].as_str().map(str::to_owned);
    facts.extend(dataset.map(|kind| ("format", kind)));
    facts.extend(links.into_iter().map(|(name, url)| (name, cx.ui.paint_out(Tone::Link, &url))));
    for (name, fact) in facts {
        cx.ui.line(format!("  {}  {fact}", cx.ui.paint_out(Tone::Dim, &format!("{name:<11}"))))?;
    }
    if !attempts.is_empty() {
        cx.ui.line("")?;
        let row = |attempt: &Value| {
            vec![
                Cell::from(attempt["number"].to_string()),
                Cell::toned(state(attempt), tone(state(attempt))),
                field(attempt, "requested_by").into(),
                format!("{} ago", age(attempt, "requested_at", now)).into(),
                took_words(attempt, "ended_at", now).into(),
                field(attempt, "job_name").into(),
                truncate(field(attempt, "reason"), 60).into(),
            ]
        };
        let headings = ["attempt", "state", "asked by", "asked", "took", "job", "reason"];
        cx.ui.table(&headings, &attempts.iter().map(row).collect::<Vec<_>>())?;
    }
    if let Some(trace) = attempts.last().and_then(|attempt| attempt["trace"].as_str()) {
        let lines: Vec<&str> = trace.trim_end().lines().collect();
        cx.ui.line("")?;
        if lines.len() > TRACE {
            cx.ui.line(cx.ui.paint_out(Tone::Dim, &format!("… {} lines before", lines.len() - TRACE)))?;
        }
        for line in &lines[lines.len().saturating_sub(TRACE)..] {
            cx.ui.line(line)?;
        }
    }
    let open = attempts.last().is_some_and(|attempt| attempt["conclusion"].is_null());
    let (id, asked) = (args.id, !attempts.is_empty());
    match state(&run) {
        _ if open => {
            cx.ui.hint(format!("pforge runs watch {id}"));
            cx.ui.hint(format!("pforge runs logs {id} -f"));
        }
        "queued" => cx.ui.hint(format!("nobody has asked for it yet: pforge runs retry {id} --watch")),
        good if runs::is_good(good) => {}
        _ => {
            if asked {
                cx.ui.hint(format!("what the runner wrote: pforge runs logs {id}"));
            }
            cx.ui.hint(format!("to run it again: pforge runs retry {id} --watch"));
        }
    }
    Ok(())
}
