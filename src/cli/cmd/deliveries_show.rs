//! `pforge deliveries show`.

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Map, Value};

use crate::cli::complete::Deliveries;
use crate::cli::cx::Cx;
use crate::cli::deliveries::{Log, Sources, Story, Tree, attempt_line, clock, masked};
use crate::cli::error::{Kind, Result};
use crate::cli::ui::Tone;

/// Show one delivery: request, response, attempts, and what followed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    pforge deliveries show f6b3bbf0\n  \
    pforge deliveries show f6b3bbf0 --payload | jq .pull_request.title\n  \
    pforge deliveries show f6b3bbf0 --raw > payload.json")]
pub struct Args {
    /// The GUID, the beginning of it, or GitHub's number of an attempt
    #[arg(add = ArgValueCompleter::new(Deliveries), value_name = "ID")]
    id: String,
    /// Only the headers of the request
    #[arg(long)]
    headers: bool,
    /// Only the payload, indented
    #[arg(long, conflicts_with = "headers")]
    payload: bool,
    /// Only the payload, byte for byte as it arrived
    #[arg(long, conflicts_with_all = ["headers", "payload"])]
    raw: bool,
    #[command(flatten)]
    sources: Sources,
}

/// Prints the delivery; with `--json` one document with everything but the exact bytes.
///
/// # Errors
/// When there is no such delivery, or nobody who could know it answers.
pub fn run(args: Args, cx: &Cx) -> Result {
    cx.run(async {
        let mut log = args.sources.open(cx).await?;
        let known = log.find(&args.id).await?;
        let story = Story::of(&log, known).await?;
        if args.raw {
            return raw(cx, &log, &story).await;
        }
        let payload = payload(&log, &story).await?;
        let headers = story.headers();
        if cx.ui.json() {
            let mut document = story.to_json();
            document["payload"] = payload;
            document["headers"] = Value::Object(headers);
            return match (args.headers, args.payload) {
                (true, _) => cx.ui.document(&document["headers"]),
                (_, true) => cx.ui.document(&document["payload"]),
                _ => cx.ui.document(&document),
            };
        }
        if args.headers {
            return cx.ui.raw(&lines(&headers, ""));
        }
        if args.payload {
            return cx.ui.document(&payload);
        }
        whole(cx, &story, &headers, &payload)
    })
}

async fn raw(cx: &Cx, log: &Log, story: &Story) -> Result {
    let payload = log.payload(&story.known).await?;
    if !payload.exact {
        cx.ui.warn("these are not the bytes that were sent: GitHub tells a payload parsed, and it was written anew");
    }
    cx.ui.bytes(&payload.bytes)
}

async fn payload(log: &Log, story: &Story) -> Result<Value> {
    match log.payload(&story.known).await {
        Ok(payload) => Ok(payload.document()),
        Err(error) if error.kind == Kind::NotFound => Ok(Value::Null),
        Err(error) => Err(error),
    }
}

fn whole(cx: &Cx, story: &Story, headers: &Map<String, Value>, payload: &Value) -> Result {
    let ui = &cx.ui;
    let title = |text: &str| ui.paint_out(Tone::Dim, text);
    ui.line(story.heading(ui))?;
    for attempt in &story.known.attempts {
        ui.line(format!("  {}", attempt_line(ui, attempt)))?;
    }
    let to = story.detail.as_ref().and_then(|detail| detail.url.as_deref()).unwrap_or_default();
    ui.line(format!("\n{}", title(&format!("request  {to}"))))?;
    ui.raw(&lines(headers, "  "))?;
    ui.line(format!("\n{}", title("payload")))?;
    ui.document(payload)?;
    if let Some(detail) = &story.detail {
        let number = format!("response to #{}  {}", detail.delivery.id, detail.delivery.status_code);
        ui.line(format!("\n{}", title(&number)))?;
        ui.raw(&lines(&masked(&detail.response.headers.clone().unwrap_or_default()), "  "))?;
        match &detail.response.payload {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => ui.line(format!("  {text}"))?,
            Some(other) => ui.line(format!("  {other}"))?,
        }
    }
    match &story.known.local {
        Some(local) => received(cx, story, local)?,
        None if story.asked_locally => ui.status("The local store does not have it."),
        None => {}
    }
    ui.hint(format!("its life as a tree: pforge deliveries explain {}", story.known.guid));
    Ok(())
}

fn received(cx: &Cx, story: &Story, local: &Value) -> Result {
    let ui = &cx.ui;
    ui.line(format!("\n{}", ui.paint_out(Tone::Dim, "received")))?;
    for row in local["history"].as_array().into_iter().flatten() {
        let at = row["received_at"].as_str().and_then(|text| text.parse().ok()).map(clock).unwrap_or_default();
        ui.line(format!("  {}.  {at}  {}", row["number"], row["answer_status"]))?;
    }
    ui.line(format!("  {}", local["answer"]))?;
    for tree in story.job_trees(ui) {
        ui.raw(&format!("\n{}", Tree::render(&tree)))?;
    }
    Ok(())
}

fn lines(headers: &Map<String, Value>, indent: &str) -> String {
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{indent}{name}: {text}\n"),
        other => format!("{indent}{name}: {other}\n"),
    };
    headers.iter().map(line).collect()
}
