//! What can be triggered.

use serde_json::{Map, Value, json};

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::ui::{Cell, Tone};
use crate::github::payloads::Catalogue;

/// Prints all events, or the actions of `event` unless it is empty.
///
/// # Errors
/// When there is no such event.
pub fn print(cx: &Cx, catalogue: &Catalogue, event: &str) -> Result {
    let wanted = if event.is_empty() { None } else { Some(catalogue.event(event)?) };
    let events = catalogue.events().filter(|(event, _)| wanted.is_none_or(|wanted| wanted == *event));
    if cx.ui.json() {
        let events: Map<String, Value> = events.map(|(event, actions)| (event.to_owned(), json!(actions))).collect();
        return cx.ui.document(&events);
    }
    if let Some(event) = wanted {
        for (event, actions) in events {
            let names = actions.iter().map(|action| format!("{event}.{action}"));
            let names: Vec<String> = if actions.is_empty() { vec![event.to_owned()] } else { names.collect() };
            cx.ui.raw(&(names.join("\n") + "\n"))?;
        }
        cx.ui.hint(format!("pforge trigger {event} --dry-run"));
        return Ok(());
    }
    let row = |(event, actions): (&str, Vec<&str>)| {
        let actions = if actions.is_empty() { Cell::toned("–", Tone::Dim) } else { actions.join(" ").into() };
        vec![Cell::toned(event, Tone::Strong), actions]
    };
    cx.ui.table(&["event", "actions"], &events.map(row).collect::<Vec<_>>())
}
