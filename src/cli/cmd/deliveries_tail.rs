//! `pforge deliveries tail`.

use std::future::pending;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, channel};

use crate::cli::api::{Api, ServerFlag};
use crate::cli::client;
use crate::cli::cx::Cx;
use crate::cli::deliveries::follow::{self, Seen};
use crate::cli::deliveries::{Which, Wish, answered, name, short};
use crate::cli::duration;
use crate::cli::error::Result;
use crate::cli::events::Events;
use crate::cli::job::field;
use crate::cli::ui::Tone;
use crate::github::Client;
use crate::github::api::apps::HookDelivery;
use crate::util::text;

/// Lines that may wait for the terminal.
const BACKLOG: usize = 256;

/// Follow deliveries as they arrive, one line each
///
/// Tells what the server received and what its jobs did; with --github also what GitHub's log says
/// of its attempts. Goes on until it is interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge deliveries tail --event pull_request\n  \
    pforge deliveries tail --github --failed\n  \
    pforge deliveries tail --json")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Only what was not answered well
    #[arg(long)]
    failed: bool,
    /// Follow GitHub's log as well
    #[arg(long)]
    github: bool,
    /// How often to look into GitHub's log
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration::argument, requires = "github")]
    every: Duration,
    #[command(flatten)]
    server: ServerFlag,
}

/// Follows until interrupted. With `--json` one object a line, `ready` first.
///
/// # Errors
/// When nobody who could tell answers at the start.
pub fn run(args: Args, cx: &Cx) -> Result {
    let wish = args.which.wish();
    let told = cx.run_to_end(async {
        let opening = async {
            let github = if args.github { Some(log(cx).await) } else { None };
            let server = subscribe(&args.server, cx).await;
            Ok(match (server, github) {
                (Err(error), None) => return Err(error),
                (Err(error), Some(Err(_))) => return Err(error),
                (Ok(server), Some(Err(error))) => {
                    cx.ui.warn(format!("without GitHub's log: {}", error.message));
                    (Some(server), None)
                }
                (Err(error), Some(Ok(github))) => {
                    cx.ui.warn(format!("only GitHub's log: {}", error.message));
                    (args.server.client(cx).ok().map(|api| (api, None)), Some(github))
                }
                (Ok(server), github) => (Some(server), github.and_then(Result::ok)),
            })
        };
        let (server, github) = tokio::select! {
            opened = opening => opened?,
            () = cx.shutdown.cancelled() => return Ok(0),
        };
        ready(cx, server.is_some(), github.is_some())?;
        let (tell, heard) = channel(BACKLOG);
        let serving = async {
            if let Some((api, feed)) = server {
                follow::server(&api, feed, &tell).await;
            }
            pending::<()>().await;
        };
        let polling = async {
            if let Some((client, last)) = github {
                follow::github(&client, last, args.every, &tell).await;
            }
            pending::<()>().await;
        };
        let mut count = 0;
        tokio::select! {
            () = serving => {}
            () = polling => {}
            printed = print(cx, &args, &wish, heard, &mut count) => printed?,
            () = cx.shutdown.cancelled() => {}
        }
        Ok(count)
    })?;
    cx.ui.status(format!("{told} {} seen.", if told == 1 { "delivery" } else { "deliveries" }));
    Ok(())
}

async fn subscribe(flag: &ServerFlag, cx: &Cx) -> Result<(Api, Option<Events>)> {
    let api = flag.client(cx)?;
    let feed = Events::subscribe(&api).await?;
    Ok((api, Some(feed)))
}

async fn log(cx: &Cx) -> Result<(Client, i64)> {
    let client = client::of_app(cx, &*cx.config()?)?;
    let last = follow::newest(&client).await?;
    Ok((client, last))
}

fn ready(cx: &Cx, server: bool, github: bool) -> Result {
    if cx.ui.json() {
        return cx.ui.event(&json!({ "type": "ready", "server": server, "github": github }));
    }
    let what = match (server, github) {
        (true, true) => "the server and GitHub's log",
        (true, false) => "the server",
        _ => "GitHub's log",
    };
    cx.ui.status(format!("Following {what}; Ctrl-C ends it."));
    Ok(())
}

async fn print(cx: &Cx, args: &Args, wish: &Wish, mut heard: Receiver<Seen>, count: &mut u64) -> Result {
    while let Some(seen) = heard.recv().await {
        match seen {
            Seen::Away(who, error) => cx.ui.warn(format!("{who} does not answer: {}; trying again", error.message)),
            Seen::Back(who) => cx.ui.status(format!("{who} answers again")),
            Seen::Server(event) => {
                if !wanted(&event, wish, args.failed) {
                    continue;
                }
                *count += u64::from(field(&event, "type") == "delivery");
                if cx.ui.json() {
                    cx.ui.event(&event)?;
                } else {
                    cx.ui.line(server_line(cx, &event))?;
                }
            }
            Seen::Attempt(attempt, repo) => {
                let named = wish.names(&attempt.event, attempt.action.as_deref()) && wish.is_in(repo.as_deref());
                if !named || (args.failed && attempt.is_good()) {
                    continue;
                }
                *count += 1;
                if cx.ui.json() {
                    let mut event = json!({ "type": "github", "repo": repo });
                    if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), json!(attempt)) {
                        event.extend(fields);
                    }
                    cx.ui.event(&event)?;
                } else {
                    cx.ui.line(attempt_line(cx, &attempt, repo.as_deref()))?;
                }
            }
        }
    }
    Ok(())
}

/// Whether to tell of what the server said. A job is told of where its repository is wanted; which
/// event it is of it does not say.
fn wanted(event: &Value, wish: &Wish, failed: bool) -> bool {
    match field(event, "type") {
        "delivery" => {
            wish.names(field(event, "event"), event["action"].as_str())
                && wish.is_in(event["repo"].as_str())
                && (!failed || event["answer_status"].as_u64().is_none_or(|status| status >= 400))
        }
        "job" => {
            let repo = field(event, "key").split('#').next().filter(|repo| repo.contains('/'));
            wish.is_any_event() && wish.is_in(repo) && (!failed || matches!(field(event, "what"), "dead" | "retry"))
        }
        _ => true,
    }
}

fn server_line(cx: &Cx, event: &Value) -> String {
    let ui = &cx.ui;
    let at = ui.paint_out(Tone::Dim, &hour(cx.clock.now()));
    match field(event, "type") {
        "delivery" => {
            let name = name(field(event, "event"), event["action"].as_str());
            let status = &event["answer_status"];
            let tone = if status.as_u64().is_some_and(|status| status < 400) { Tone::Good } else { Tone::Bad };
            let again = if event["repeat"] == true { "  again" } else { "" };
            let took = Duration::try_from_secs_f64(event["ms"].as_f64().unwrap_or_default() / 1000.0);
            format!(
                "{at}  → {}  {}  {}  {}  {}{again}",
                ui.paint_out(Tone::Strong, &format!("{name:<26}")),
                column(event["repo"].as_str()),
                short(field(event, "guid")),
                ui.paint_out(tone, &status.to_string()),
                text::duration(took.unwrap_or_default()),
            )
        }
        "job" => {
            let what = field(event, "what");
            let tone = match what {
                "done" => Tone::Good,
                "dead" | "lost" => Tone::Bad,
                "retry" => Tone::Warn,
                _ => Tone::Dim,
            };
            let took = match what {
                "started" => String::new(),
                _ => format!(" in {}", text::duration(Duration::from_millis(event["took_ms"].as_u64().unwrap_or(0)))),
            };
            let job = format!("job {} {}", event["id"], field(event, "kind"));
            let told = text::truncate(field(event, "text"), 80);
            let line = format!(
                "{at}    {job:<26}  {}  {}{took}  {told}",
                column(event["key"].as_str()),
                ui.paint_out(tone, what)
            );
            line.trim_end().to_owned()
        }
        _ => format!("{at}  {event}"),
    }
}

fn attempt_line(cx: &Cx, attempt: &HookDelivery, repo: Option<&str>) -> String {
    let ui = &cx.ui;
    let cell = answered(attempt);
    let again = if attempt.redelivery { "  redelivered" } else { "" };
    format!(
        "{}  ⇢ {}  {}  {}  {}  #{}{again}",
        ui.paint_out(Tone::Dim, &hour(attempt.delivered_at)),
        ui.paint_out(Tone::Strong, &format!("{:<26}", name(&attempt.event, attempt.action.as_deref()))),
        column(repo),
        short(&attempt.guid),
        ui.paint_out(cell.1.unwrap_or(Tone::Dim), &cell.0),
        attempt.id,
    )
}

fn column(text: Option<&str>) -> String {
    format!("{:<16}", text.unwrap_or_default())
}

fn hour(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%S").to_string()
}
