//! `pforge deliveries replay`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::cli::complete::Deliveries;
use crate::cli::cx::Cx;
use crate::cli::deliveries::recorded::{Recorded, select};
use crate::cli::deliveries::replay::{Speed, body, differences, incoming};
use crate::cli::deliveries::when::{self, When};
use crate::cli::deliveries::{Sources, Which};
use crate::cli::error::{Error, Kind, Result};
use crate::cli::ui::Tone;
use crate::github::signature::Key;
use crate::proxy::{Forwarder, Reply, Unanswered};
use crate::util::{Secret, id, text};

/// Characters of a GUID that are shown.
const SHORT: usize = 8;

/// Post deliveries again, signed anew, to any URL
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What arrived is posted again: the stored bytes and headers, or what GitHub's log or a file has. The GUID\n\
    stays the same unless told otherwise, so that a pforge server answers `repeat` and does no work twice.\n\n\
    Examples:\n  pforge deliveries replay 8f2c1d40\n  \
    pforge deliveries replay 8f2c1d40 --to http://127.0.0.1:3000/hooks --new-guid\n  \
    pforge deliveries replay --since 1h --event pull_request --speed 10x --diff\n  \
    pforge deliveries replay --file pull_request.opened.json --new-guid\n\n\
    Exit code 1 when an answer was not 2xx or, with --diff, not the first one's."
)]
pub struct Args {
    /// Which: GUID, the beginning of one, or GitHub's number of an attempt
    #[arg(add = ArgValueCompleter::new(Deliveries), value_name = "ID", required_unless_present_any = ["file", "since", "until"])]
    ids: Vec<String>,
    /// A file with a payload, or with a delivery as GitHub's API tells it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ids", "since", "until"])]
    file: Vec<PathBuf>,
    /// All that came since then: 2h, 3d, or a time
    #[arg(long, value_name = "TIME", value_parser = when::argument, conflicts_with = "ids")]
    since: Option<When>,
    /// All that came before
    #[arg(long, value_name = "TIME", value_parser = when::argument, conflicts_with = "ids")]
    until: Option<When>,
    /// Only this event, or event.action; with --file, the event that it is
    #[arg(long, value_name = "EVENT", conflicts_with = "ids")]
    event: Option<String>,
    /// Only events of this repository; the store knows it
    #[arg(long, value_name = "OWNER/REPO", conflicts_with_all = ["ids", "file", "github"])]
    repo: Option<String>,
    #[command(flatten)]
    sources: Sources,
    /// Where to [default: the server's webhook endpoint]
    #[arg(long, value_name = "URL")]
    to: Option<Url>,
    /// Sign with the secret in this file [default: the config's]
    #[arg(long, value_name = "FILE", conflicts_with = "no_sign")]
    webhook_secret_file: Option<PathBuf>,
    /// Do not sign
    #[arg(long)]
    no_sign: bool,
    /// The rhythm: 1x as it happened, 10x, 0.5x, or max
    #[arg(long, value_name = "SPEED", value_parser = Speed::argument, default_value = "max")]
    speed: Speed,
    /// Give every delivery a GUID of its own, so that it is new to the receiver
    #[arg(long)]
    new_guid: bool,
    /// Compare each answer with the first one
    #[arg(long)]
    diff: bool,
    /// Stop at the first that fails
    #[arg(long)]
    until_fail: bool,
}

/// What became of a posted delivery.
struct Posted<'a> {
    event: &'a Recorded,
    guid: String,
    outcome: std::result::Result<Reply, Unanswered>,
    /// `None` without `--diff`, or when the first answer is not known.
    differences: Option<Vec<String>>,
}

/// Counts of the summary.
#[derive(Default)]
struct Counts {
    replayed: usize,
    ok: usize,
    failed: usize,
    repeats: usize,
    differ: usize,
}

/// Posts and tells what came of it.
///
/// # Errors
/// When there is nothing to post, or nobody listens; exit code 1 when an answer was not good.
pub fn run(args: Args, cx: &Cx) -> Result {
    let target = match &args.to {
        Some(url) if !matches!(url.scheme(), "http" | "https") => {
            return Err(Error::usage("--to must be an http or https URL"));
        }
        Some(url) => url.clone(),
        None => args.sources.hook(cx)?,
    };
    let key = key(&args, cx)?;
    let app = cx.config().ok().and_then(|file| file.github_app.as_ref().map(|app| app.id));
    let app = app.and_then(|id| i64::try_from(id).ok()).unwrap_or_default();
    cx.run(async {
        let events = collect(&args, cx).await?;
        if events.is_empty() {
            return Err(Error::new(Kind::NotFound, "no delivery fits").hint("pforge deliveries list"));
        }
        begin(cx, &target, &events)?;
        let forwarder = Forwarder::new().map_err(|error| Error::failure("cannot prepare HTTP").caused_by(&error))?;
        let (begun, mut counts) = (Instant::now(), Counts::default());
        let first = events.iter().find_map(|event| event.at);
        for event in &events {
            sleep_until(begun + args.speed.offset(first, event.at)).await;
            let guid = if args.new_guid { id::guid() } else { event.guid.clone() };
            let outcome = forwarder.post(&target, &incoming(event, &guid, app, key.as_ref())).await;
            if counts.replayed == 0 && matches!(outcome, Err(Unanswered::Refused)) {
                let told = Error::new(Kind::Upstream, format!("nobody listens at {target}"));
                return Err(if args.to.is_none() { told.hint("pforge serve") } else { told });
            }
            let differences = match (&outcome, &event.answer) {
                (Ok(reply), Some(answer)) if args.diff => Some(differences(answer, (reply.status, &body(reply)))),
                _ => None,
            };
            let posted = Posted { event, guid, outcome, differences };
            let good = counts.add(&posted);
            posted.tell(cx, args.diff)?;
            if args.until_fail && !good {
                break;
            }
        }
        counts.tell(cx, events.len(), begun.elapsed())
    })
}

fn key(args: &Args, cx: &Cx) -> Result<Option<Key>> {
    if args.no_sign {
        return Ok(None);
    }
    let secret = match &args.webhook_secret_file {
        Some(path) => {
            let text = fs::read_to_string(path).map(Secret::new);
            text.map_err(|error| Error::config(format!("cannot read {}", path.display())).caused_by(&error))?
        }
        None => cx.config().and_then(|file| Ok(file.need_app()?.webhook_secret.clone())).map_err(|error| {
            error
                .hint("pforge deliveries replay … --webhook-secret-file FILE")
                .hint("pforge deliveries replay … --no-sign")
        })?,
    };
    // A newline at the end is the editor's.
    Ok(Some(Key::new(secret.expose().trim_end_matches(['\r', '\n']).as_bytes())))
}

async fn collect(args: &Args, cx: &Cx) -> Result<Vec<Recorded>> {
    if !args.file.is_empty() {
        return args.file.iter().map(|path| Recorded::of_file(path, args.event.as_deref())).collect();
    }
    let mut log = args.sources.open(cx).await?;
    let mut known = Vec::new();
    if args.ids.is_empty() {
        let now = cx.clock.now();
        let which = Which { event: args.event.clone(), action: None, repo: args.repo.clone() };
        known = select(&mut log, &which.wish().between(args.since, args.until, now)).await?;
    }
    for id in &args.ids {
        known.push(log.find(id).await?);
    }
    let mut events = Vec::with_capacity(known.len());
    for known in &known {
        events.push(Recorded::of(&log, known).await?);
    }
    Ok(events)
}

fn begin(cx: &Cx, target: &Url, events: &[Recorded]) -> Result {
    if cx.ui.json() {
        return cx.ui.event(&json!({ "type": "ready", "to": target.as_str(), "deliveries": events.len() }));
    }
    let count = match events.len() {
        1 => "1 delivery".to_owned(),
        many => format!("{many} deliveries"),
    };
    cx.ui.status(format!("Replaying {count} to {}", cx.ui.paint(Tone::Link, target.as_str())));
    if events.iter().any(|event| !event.exact) {
        cx.ui.status("GitHub tells payloads parsed: these are the same documents, not the same bytes.");
    }
    Ok(())
}

impl Counts {
    /// Counts it; whether it is as it should be.
    fn add(&mut self, posted: &Posted<'_>) -> bool {
        let good = posted.outcome.as_ref().is_ok_and(Reply::is_good);
        let differs = posted.differences.as_ref().is_some_and(|differences| !differences.is_empty());
        self.replayed += 1;
        *(if good { &mut self.ok } else { &mut self.failed }) += 1;
        self.repeats += usize::from(posted.repeat() == Some(true));
        self.differ += usize::from(differs);
        good && !differs
    }

    fn tell(&self, cx: &Cx, all: usize, took: Duration) -> Result {
        let Self { replayed, ok, failed, repeats, differ } = *self;
        let left = all - replayed;
        if cx.ui.json() {
            cx.ui.event(&json!({
                "type": "summary", "replayed": replayed, "ok": ok, "failed": failed, "repeats": repeats,
                "differ": differ, "left": left, "ms": took.as_millis(),
            }))?;
        } else {
            let mut told = format!("{replayed} replayed");
            for (count, what) in [
                (ok, "ok"),
                (failed, "failed"),
                (repeats, "known to the server already"),
                (differ, "answered differently"),
                (left, "left"),
            ] {
                if count > 0 {
                    told += &format!(", {count} {what}");
                }
            }
            cx.ui.status(format!("{told}, in {}", text::duration(took)));
            if repeats > 0 && repeats == replayed {
                cx.ui.hint("a repeat does no work again; --new-guid makes it a new event");
            }
        }
        if failed + differ > 0 { Err(Error::told(1)) } else { Ok(()) }
    }
}

impl Posted<'_> {
    /// Whether a pforge server said that it has this delivery already; `None` for other servers.
    fn repeat(&self) -> Option<bool> {
        let seen = self.outcome.as_ref().ok()?.headers.get("x-pforge-delivery")?;
        Some(seen == "repeat")
    }

    fn tell(&self, cx: &Cx, compared: bool) -> Result {
        if cx.ui.json() {
            return cx.ui.event(&self.to_json());
        }
        let ui = &cx.ui;
        let guid = ui.paint_out(Tone::Dim, self.guid.get(..SHORT).unwrap_or(&self.guid));
        let name = ui.paint_out(Tone::Strong, &self.event.name());
        let mut line = match &self.outcome {
            Ok(reply) => {
                let tone = if reply.is_good() { Tone::Good } else { Tone::Bad };
                let status = ui.paint_out(tone, &reply.status.to_string());
                format!("{guid}  {status}  {name}  {}", text::duration(reply.took))
            }
            Err(error) => format!("{guid}  {}  {name}  {error}", ui.paint_out(Tone::Bad, "–––")),
        };
        if self.repeat() == Some(true) {
            line += "  repeat";
        }
        match &self.differences {
            Some(differences) if differences.is_empty() => line += "  same answer",
            None if compared && self.outcome.is_ok() => line += "  no first answer to compare with",
            _ => {}
        }
        ui.line(line)?;
        for difference in self.differences.iter().flatten() {
            ui.line(format!("          {}", ui.paint_out(Tone::Warn, difference)))?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let reply = self.outcome.as_ref().ok();
        json!({
            "type": "replayed",
            "guid": self.guid,
            "original_guid": self.event.guid,
            "event": self.event.event,
            "action": self.event.action,
            "exact": self.event.exact,
            "status": reply.map(|reply| reply.status),
            "body": reply.map(body),
            "ms": reply.map(|reply| reply.took.as_millis()),
            "repeat": self.repeat(),
            "error": self.outcome.as_ref().err().map(ToString::to_string),
            "differences": self.differences,
        })
    }
}
