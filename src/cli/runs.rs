//! Recipe runs as they are shown, from the server's JSON: the client knows only the fields that it
//! shows.

pub mod logs;
pub mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::api::Api;
use super::cx::Cx;
use super::error::{Error, Kind, Result};
use super::job::field;
use super::ui::Tone;
use crate::apps::recipes::rows::origin;
use crate::apps::recipes::{Settings, text};
use crate::util::text::duration;

/// Requests to the server at a time.
pub const AT_ONCE: usize = 8;

/// How a run or an attempt stands: its conclusion, else how far it is.
pub fn state(row: &Value) -> &str {
    row["conclusion"].as_str().unwrap_or_else(|| match row["status"].as_str() {
        Some(status) => status,
        // An attempt has no status of its own.
        None if row["started_at"].is_null() => "queued",
        None => "in_progress",
    })
}

/// The colour of a state.
pub fn tone(state: &str) -> Tone {
    match state {
        "success" => Tone::Good,
        "in_progress" => Tone::Warn,
        "failure" | "timed_out" | "action_required" => Tone::Bad,
        _ => Tone::Dim,
    }
}

/// Whether a run that ended so did what it should.
pub fn is_good(conclusion: &str) -> bool {
    matches!(conclusion, "success" | "neutral" | "skipped")
}

/// `test` or `production`.
pub fn kind(run: &Value) -> &'static str {
    if run["is_test"] == true { "test" } else { "production" }
}

/// The first seven digits of the commit.
pub fn commit(run: &Value) -> String {
    field(run, "head_sha").chars().take(7).collect()
}

/// The time in the field `name`.
pub fn time(row: &Value, name: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(field(row, name)).ok().map(|at| at.to_utc())
}

/// How long it has been running, or ran; `None` before it began. `end` is the field of its end.
pub fn took(row: &Value, end: &str, now: DateTime<Utc>) -> Option<Duration> {
    if state(row) == "queued" {
        return None;
    }
    (time(row, end).unwrap_or(now) - time(row, "started_at")?).to_std().ok()
}

/// As [`took`], in words.
pub fn took_words(row: &Value, end: &str, now: DateTime<Utc>) -> String {
    took(row, end, now).map_or_else(|| "–".to_owned(), duration)
}

/// Pages about a run: the dashboard's, the deployment's, the dataset.
pub fn links(cx: &Cx, api: &Api, run: &Value) -> Vec<(&'static str, String)> {
    let notes = origin::notes(run["message"].as_str());
    let note = |name: &str| notes.get(name).and_then(Value::as_str).map(str::to_owned);
    let dataset = run["dataset_public_url"].as_str().map(str::to_owned);
    let environment = note("environment_url").filter(|url| Some(url) != dataset.as_ref());
    [("dashboard", dashboard(cx, api, run)), ("dataset", dataset), ("environment", environment)]
        .into_iter()
        .filter_map(|(name, url)| Some((name, url?)))
        .collect()
}

/// The run's page of the dashboard, which has to be told which server to ask.
fn dashboard(cx: &Cx, api: &Api, run: &Value) -> Option<String> {
    let file = cx.config().ok();
    let own = Settings::default();
    let settings = file.as_ref().map_or(&own, |file| &file.recipes);
    let host = settings.webhook_host.clone().unwrap_or_else(|| api.host());
    let (id, feedstock) = (run["id"].as_i64()?, run["feedstock_id"].as_i64()?);
    Some(text::checks::run_url(&settings.dashboard_url, id, feedstock, Some(&host)))
}

/// A run with its bakery and feedstock.
///
/// # Errors
/// When there is none, or the server cannot be reached.
pub async fn get(api: &Api, id: i64) -> Result<Value> {
    api.get(&format!("/recipe_runs/{id}"), &[]).await.map_err(|error| unknown(error, id))
}

/// The attempts at a run, oldest first.
///
/// # Errors
/// As [`get`].
pub async fn attempts(api: &Api, id: i64) -> Result<Vec<Value>> {
    match api.get(&format!("/recipe_runs/{id}/attempts"), &[]).await.map_err(|error| unknown(error, id))? {
        Value::Array(attempts) => Ok(attempts),
        _ => Err(Error::new(Kind::Upstream, "the server's attempts are not a list")),
    }
}

fn unknown(error: Error, id: i64) -> Error {
    match error.kind {
        Kind::NotFound => {
            Error { message: format!("the server has no recipe run {id}"), ..error }.hint("pforge runs list")
        }
        _ => error,
    }
}

/// The names of the feedstocks of `runs`, by id. Asked through the runs: a feedstock would bring
/// all of its runs along.
///
/// # Errors
/// When the server cannot be reached.
pub async fn feedstocks(api: &Api, runs: &[Value]) -> Result<BTreeMap<i64, String>> {
    let one_of_each: BTreeMap<i64, i64> =
        runs.iter().filter_map(|run| Some((run["feedstock_id"].as_i64()?, run["id"].as_i64()?))).collect();
    let name = async |(feedstock, run): (i64, i64)| {
        let run = get(api, run).await?;
        Ok::<_, Error>((feedstock, field(&run["feedstock"], "spec").to_owned()))
    };
    stream::iter(one_of_each).map(name).buffer_unordered(AT_ONCE).try_collect().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DateTime, Duration, is_good, state, took};

    #[test]
    fn a_state_is_the_conclusion_or_how_far_it_is() {
        for (row, expected) in [
            (json!({ "status": "queued", "conclusion": null, "started_at": "2026-01-01T00:00:00Z" }), "queued"),
            (json!({ "status": "in_progress", "conclusion": null }), "in_progress"),
            (json!({ "status": "completed", "conclusion": "failure" }), "failure"),
            (json!({ "started_at": null, "conclusion": null }), "queued"),
            (json!({ "started_at": "2026-01-01T00:00:00Z", "conclusion": null }), "in_progress"),
            (json!({ "started_at": null, "conclusion": "cancelled" }), "cancelled"),
        ] {
            assert_eq!(state(&row), expected, "{row}");
        }
        assert!(is_good("success") && !is_good("cancelled") && !is_good("timed_out"));
    }

    #[test]
    fn what_is_queued_takes_no_time() {
        let now = DateTime::parse_from_rfc3339("2026-01-01T00:01:00Z").expect("time").to_utc();
        let started = "2026-01-01T00:00:00Z";
        let queued = json!({ "status": "queued", "started_at": started });
        assert_eq!(took(&queued, "completed_at", now), None);
        let runs = json!({ "status": "in_progress", "started_at": started });
        assert_eq!(took(&runs, "completed_at", now), Some(Duration::from_secs(60)));
        let ended = json!({ "conclusion": "success", "started_at": started, "completed_at": "2026-01-01T00:00:02Z" });
        assert_eq!(took(&ended, "completed_at", now), Some(Duration::from_secs(2)));
    }
}
