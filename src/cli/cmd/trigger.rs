//! `pforge trigger`.

use bytes::Bytes;
use serde_json::{Map, Value, json};

pub use crate::cli::trigger::args::Args;

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::trigger::change::Change;
use crate::cli::trigger::send::{Message, Sender};
use crate::cli::trigger::target::{Signer, Target, check_repository, world};
use crate::cli::trigger::{edit, listing, origin, report, scenario};
use crate::github::payloads::{Catalogue, Draft, Given};
use crate::util::id;

/// Makes a delivery and sends it.
///
/// # Errors
/// When there is no such event, a change does not fit, nobody answers, or the answer is not one
/// of success.
pub fn run(args: Args, cx: &Cx) -> Result {
    let catalogue = Catalogue::embedded()?;
    if let Some(event) = &args.list {
        return listing::print(cx, &catalogue, event);
    }
    if let Some(file) = &args.scenario {
        return scenario::run(cx, &catalogue, file, &args);
    }
    let message = message(cx, &catalogue, &args)?;
    if args.dry_run {
        return dry_run(cx, &args, &message);
    }
    let target = Target::new(cx, args.destination.to.as_deref(), args.sources.server_flag())?;
    let signer = Signer::new(cx, &args.destination)?;
    let sender = Sender::new(&target, &signer)?;
    if args.repeat > 1 {
        let outcomes = cx.run(async { Ok(sender.repeat(&message, args.repeat, args.concurrency).await) })?;
        return report::many(cx, &sender, &message.name, &outcomes);
    }
    let guid = args.guid.clone().unwrap_or_else(id::guid);
    let sent = cx.run(sender.send(&message, &guid))?;
    report::one(cx, &sent)
}

/// The event and its body, as the flags want them.
fn message(cx: &Cx, catalogue: &Catalogue, args: &Args) -> Result<Message> {
    let mut changes = Vec::new();
    for set in &args.set {
        changes.push(Change::text(set)?);
    }
    for set in &args.set_json {
        changes.push(Change::json(set)?);
    }
    for unset in &args.unset {
        changes.push(Change::unset(unset)?);
    }
    if let Some(repo) = &args.repo {
        check_repository(repo)?;
    }
    let mut world = world(cx)?;
    let name = args.event.as_deref();
    let (mut draft, original) = match &args.from {
        Some(from) => {
            let found = origin::find(cx, &args.sources, from, name)?;
            let mut draft = Draft::of(catalogue, &found.event, found.payload.clone(), &world);
            if let Some(repo) = &args.repo {
                draft.rename_repository(repo)?;
            }
            let known = [
                ("sender.login", args.sender.as_deref().map(Value::from)),
                ("installation.id", args.installation.map(Value::from)),
                ("action", name.and_then(|name| origin::parts(name).1).map(Value::from)),
            ];
            for (path, value) in known.into_iter().filter_map(|(path, value)| Some((path, value?))) {
                Change::Set(path.parse()?, Given::Json(value)).apply(&mut draft)?;
            }
            (draft, Some(found))
        }
        None => {
            world.repository = args.repo.clone().unwrap_or(world.repository);
            world.sender = args.sender.clone().unwrap_or(world.sender);
            world.installation = args.installation.unwrap_or(world.installation);
            (origin::synthesise(cx, catalogue, name.unwrap_or_default(), &world)?, None)
        }
    };
    changes.iter().try_for_each(|change| change.apply(&mut draft))?;
    let event = draft.event().to_owned();
    let payload = if args.edit { edit::payload(cx, draft.payload())? } else { draft.payload().clone() };
    let body = match original {
        // Unchanged, it is sent as it came.
        Some(original) if original.payload == payload => Bytes::from(original.bytes),
        _ => Bytes::from(serde_json::to_vec(&payload).map_err(|error| Error::new(Kind::Bug, error.to_string()))?),
    };
    let action = payload["action"].as_str().map(|action| format!(".{action}")).unwrap_or_default();
    Ok(Message { name: format!("{event}{action}"), event, body })
}

/// Prints what would be sent. The signature is there when there is a secret.
fn dry_run(cx: &Cx, args: &Args, message: &Message) -> Result {
    let payload: Value =
        serde_json::from_slice(&message.body).map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    if !cx.ui.json() {
        return cx.ui.document(&payload);
    }
    let target = Target::new(cx, args.destination.to.as_deref(), args.sources.server_flag())?;
    let guid = args.guid.clone().unwrap_or_else(id::guid);
    let headers: Option<Map<String, Value>> = match Signer::new(cx, &args.destination) {
        Ok(signer) => {
            let delivery = signer.sign(&message.event, &guid, message.body.clone());
            Some(delivery.headers.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
        }
        Err(error) if args.destination.webhook_secret_file.is_some() || !args.destination.header.is_empty() => {
            return Err(error);
        }
        Err(_) => None,
    };
    cx.ui.document(&json!({
        "event": message.name,
        "delivery": guid,
        "target": target.url.as_str(),
        "headers": headers,
        "body": String::from_utf8_lossy(&message.body),
        "payload": payload,
    }))
}
