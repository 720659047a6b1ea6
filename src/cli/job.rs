//! How jobs are shown, from the server's JSON: the client knows only the fields that it shows.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::ui::Tone;
use crate::util::text;

/// A text field, or the empty text.
pub fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

/// What the job said last: its outcome or its error.
pub fn said(row: &Value) -> &str {
    row["outcome"].as_str().or(row["last_error"].as_str()).unwrap_or_default()
}

/// The colour of its state.
pub fn tone(row: &Value) -> Tone {
    match field(row, "state") {
        "done" => Tone::Good,
        "dead" => Tone::Bad,
        "running" => Tone::Warn,
        _ => Tone::Dim,
    }
}

/// How long ago the time in the field `name` was.
pub fn age(row: &Value, name: &str, now: DateTime<Utc>) -> String {
    let at = DateTime::parse_from_rfc3339(field(row, name)).ok();
    at.and_then(|at| (now - at.to_utc()).to_std().ok()).map_or("–".to_owned(), text::duration)
}
