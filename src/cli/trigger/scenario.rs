//! Several deliveries in order, each of which may use what the earlier ones said, and each with
//! what must come of it.

mod file;
mod refs;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::file::{Expect, Scenario, State, Step};
use self::refs::Payloads;
use super::args::Args;
use super::report::{of_job, status};
use super::send::{Message, Sender, Sent};
use super::target::{Signer, Target, check_repository, world};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::job::{field, said};
use crate::cli::trigger::origin::parts;
use crate::cli::ui::Tone;
use crate::github::payloads::{Catalogue, Draft, Given, World};
use crate::util::id;
use crate::util::text::{duration, plural};

/// How long jobs may take unless the scenario says.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the scenario in `file`; one line a step.
///
/// # Errors
/// When it is no scenario, and for the first step that does not do what it should.
pub fn run(cx: &Cx, catalogue: &Catalogue, file: &Path, args: &Args) -> Result {
    let scenario = Scenario::read(catalogue, file)?;
    let target = Target::new(cx, args.destination.to.as_deref(), args.sources.server_flag())?;
    let signer = Signer::new(cx, &args.destination)?;
    let sender = Sender::new(&target, &signer)?;
    let mut world = world(cx)?;
    let own = |own: &Option<String>| {
        let own = own.as_ref().map(|own| refs::resolve(&Value::from(own.as_str()), &Payloads::new(), &cx.env));
        own.transpose().map(|own| own.and_then(|own| own.as_str().map(str::to_owned)))
    };
    let (repo, login) = (own(&scenario.repo)?, own(&scenario.sender)?);
    world.repository = args.repo.clone().or(repo).unwrap_or(world.repository);
    check_repository(&world.repository)?;
    world.sender = args.sender.clone().or(login).unwrap_or(world.sender);
    world.installation = args.installation.or(scenario.installation).unwrap_or(world.installation);
    let count = scenario.steps.len();
    if cx.ui.json() {
        let name = scenario.name.as_deref();
        cx.ui.event(&json!({ "type": "ready", "name": name, "steps": count, "target": target.url.as_str() }))?;
    } else if let Some(name) = &scenario.name {
        cx.ui.status(cx.ui.paint(Tone::Strong, name));
    }
    let begun = Instant::now();
    cx.run(async {
        let mut payloads = Payloads::new();
        for (index, step) in scenario.steps.iter().enumerate() {
            let line = scenario.lines.get(index).map(|line| format!(":{line}")).unwrap_or_default();
            let here = |error: Error| error.context(format!("{}{line}: step {} failed", file.display(), index + 1));
            tokio::time::sleep(step.delay.unwrap_or_default()).await;
            // Each step has a time of its own.
            let world = World { now: cx.clock.now(), ..world.clone() };
            let payload = payload(cx, catalogue, &world, step, &payloads).map_err(here)?;
            let outcome = deliver(&sender, step, &payload).await.map_err(here)?;
            tell(cx, index + 1, count, &outcome)?;
            if let Some(error) = outcome.wrong {
                return Err(here(error));
            }
            if let Some(id) = &step.id {
                payloads.insert(id.clone(), payload);
            }
        }
        Ok(())
    })?;
    if cx.ui.json() {
        return cx.ui.event(&json!({ "type": "summary", "steps": count, "ok": true }));
    }
    cx.ui.status(format!("{} in {}", plural(count as u64, "step"), duration(begun.elapsed())));
    Ok(())
}

/// What came of a step.
struct Outcome {
    sent: Sent,
    /// How long the jobs were waited for.
    waited: Option<Duration>,
    wrong: Option<Error>,
}

/// The payload of a step, with what it refers to.
fn payload(cx: &Cx, catalogue: &Catalogue, world: &World, step: &Step, payloads: &Payloads) -> Result<Value> {
    let (event, action) = parts(&step.event);
    let action = match action {
        Some(action) => Some(action),
        None => catalogue.default_action(event)?,
    };
    let mut draft = Draft::new(catalogue, event, action, world)?;
    for (path, value) in &step.set {
        let given = match refs::resolve(value, payloads, &cx.env)? {
            Value::String(text) => Given::Text(text),
            number @ (Value::Number(_) | Value::Bool(_)) => Given::Text(number.to_string()),
            other => Given::Json(other),
        };
        draft.set(&path.parse()?, &given)?;
    }
    Ok(draft.payload().clone())
}

/// Sends a step and looks whether what should come of it does.
async fn deliver(sender: &Sender<'_>, step: &Step, payload: &Value) -> Result<Outcome> {
    let body = serde_json::to_vec(payload).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    let action = payload["action"].as_str().map(|action| format!(".{action}")).unwrap_or_default();
    let event = parts(&step.event).0.replace('-', "_");
    let message = Message { name: format!("{event}{action}"), event, body: body.into() };
    let mut sent = sender.send(&message, &id::guid()).await?;
    if let Some(error) = wrong_status(&step.expect, &sent) {
        return Ok(Outcome { sent, waited: None, wrong: Some(error) });
    }
    let Some(expected) = &step.expect.jobs else { return Ok(Outcome { sent, waited: None, wrong: None }) };
    let begun = Instant::now();
    let ends = expected.values().any(|state| *state != State::Queued);
    let patience = if ends { step.expect.within.unwrap_or(PATIENCE) } else { Duration::ZERO };
    sent.jobs = sender.finished(&sent.guid, patience).await;
    let waited = begun.elapsed();
    let wrong = match &sent.jobs {
        Some(jobs) => expected
            .iter()
            .find_map(|(kind, state)| wrong_job(jobs, kind, *state, patience))
            .or_else(|| jobs.iter().find_map(|job| unexpected(job, &|kind| expected.contains_key(kind)))),
        None => {
            let told = Error::failure("the server cannot be asked for the jobs").because(
                "they are known for a pforge on this machine, or that PFORGE_SERVER names, whose admin key is in the \
                 config or in PANGEO_FORGE_API_KEY",
            );
            Some(told)
        }
    };
    Ok(Outcome { sent, waited: ends.then_some(waited), wrong })
}

fn wrong_status(expect: &Expect, sent: &Sent) -> Option<Error> {
    match expect.status {
        Some(wanted) if wanted != sent.reply.status => {
            let told = Error::failure(format!("{} was answered {}, not {wanted}", sent.name, sent.reply.status));
            Some(if sent.said().is_empty() { told } else { told.because(sent.said()) })
        }
        None if !sent.reply.is_good() => Some(sent.refused()),
        _ => None,
    }
}

fn wrong_job(jobs: &[Value], kind: &str, state: State, patience: Duration) -> Option<Error> {
    let Some(job) = jobs.iter().find(|job| field(job, "kind") == kind) else {
        let told = Error::failure(format!("it did not become a job {kind}"));
        let kinds: Vec<&str> = jobs.iter().map(|job| field(job, "kind")).collect();
        let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
        return Some(told.because(format!("its jobs: {kinds}")));
    };
    let now = field(job, "state");
    if state == State::Queued || now == state.name() {
        return None;
    }
    let told = Error::failure(format!("job {} {kind} is {now}, not {}", job["id"], state.name()));
    let told = if said(job).is_empty() { told } else { told.because(said(job)) };
    let told = if super::send::has_ended(job) { told } else { told.because(format!("waited {}", duration(patience))) };
    Some(told.hint(format!("pforge jobs show {}", job["id"])))
}

fn unexpected(job: &Value, expected: &dyn Fn(&str) -> bool) -> Option<Error> {
    let kind = field(job, "kind");
    (!expected(kind)).then(|| Error::failure(format!("it became a job {kind}, which the scenario does not expect")))
}

/// One line a step.
fn tell(cx: &Cx, number: usize, count: usize, outcome: &Outcome) -> Result {
    let (ui, sent) = (&cx.ui, &outcome.sent);
    let ok = outcome.wrong.is_none();
    if ui.json() {
        let mut line = json!({ "type": "step", "step": number, "ok": ok });
        if let (Some(line), Value::Object(sent)) = (line.as_object_mut(), sent.json()) {
            line.extend(sent);
        }
        return ui.event(&line);
    }
    let mark = if ok { ui.paint_out(Tone::Good, "✓") } else { ui.paint_out(Tone::Bad, "✗") };
    let mut line = format!("{mark} {number}/{count} {}  ", ui.paint_out(Tone::Strong, &sent.name));
    line += &format!("{}  {}", status(ui, sent.reply.status), duration(sent.reply.took));
    for job in sent.jobs.iter().flatten() {
        line += &format!("  {}", of_job(ui, job));
    }
    if let Some(waited) = outcome.waited {
        line += &format!(" after {}", duration(waited));
    }
    ui.line(line)
}
