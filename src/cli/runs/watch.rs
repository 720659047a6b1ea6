//! Runs on their way to their end.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::cli::api::Api;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::job::field;
use crate::cli::runs::{self, AT_ONCE};
use crate::cli::ui::{Board, Tone};
use crate::util::text::{duration, plural};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(700);

/// How long a server may be away.
const AWAY: Duration = Duration::from_secs(120);

/// How long what was asked for may take to be taken up.
const TAKEN_UP: Duration = Duration::from_secs(60);

/// How many open runs are found by themselves.
const OPEN: usize = 500;

/// A run that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The run.
    pub id: i64,
    /// When it was just asked for: how many attempts there were before, which do not count.
    pub asked: Option<i64>,
}

/// How a run stands: by its newest attempt, because a run that is asked for again shows its last
/// end until the runner is started.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    state: String,
    /// The attempt; 0 when nobody has asked for the run.
    attempt: i64,
    over: bool,
}

impl Standing {
    fn of(run: &Value, attempts: &[Value], asked: Option<i64>) -> Self {
        let newest = attempts.last();
        let number = newest.and_then(|attempt| attempt["number"].as_i64()).unwrap_or_default();
        let (row, waits) = match newest {
            Some(attempt) => (attempt, asked.is_some_and(|before| number <= before)),
            // Told by a bakery, or written by hand.
            None => (run, asked.is_some()),
        };
        let state = if waits { "queued" } else { runs::state(row) };
        Self { over: !matches!(state, "queued" | "in_progress"), state: state.to_owned(), attempt: number }
    }
}

/// What is known of a watched run.
struct Known {
    run: Value,
    attempts: Vec<Value>,
    standing: Option<Standing>,
}

/// The runs that somebody has asked for and that are not over.
///
/// # Errors
/// When the server cannot be reached.
pub async fn open(api: &Api) -> Result<Vec<Watched>> {
    let mut ids = Vec::new();
    for status in ["in_progress", "queued"] {
        let query = [("status", status.to_owned()), ("order_by", "id".to_owned()), ("sort", "desc".to_owned())];
        let (rows, _) = api.rows("/recipe_runs", &query, OPEN).await?;
        ids.extend(rows.iter().filter_map(|row| Some((row["id"].as_i64()?, status == "in_progress"))));
    }
    let asked_for = |(id, runs): (i64, bool)| async move {
        let newest = if runs { None } else { runs::attempts(api, id).await?.pop() };
        let open = runs || newest.is_some_and(|attempt| attempt["conclusion"].is_null());
        Ok::<_, Error>(open.then_some(Watched { id, asked: None }))
    };
    let found: Vec<Option<Watched>> = stream::iter(ids).map(asked_for).buffered(AT_ONCE).try_collect().await?;
    let mut open: Vec<Watched> = found.into_iter().flatten().collect();
    open.sort_by_key(|watched| watched.id);
    Ok(open)
}

/// Watches until all of them are over. The error says that one did not do what it should.
///
/// # Errors
/// Then, when one does not exist, or when the server stays away.
pub async fn watch(cx: &Cx, api: &Api, watched: Vec<Watched>) -> Result {
    let begun = Instant::now();
    let ids: Vec<i64> = watched.iter().map(|watched| watched.id).collect();
    if cx.ui.json() {
        cx.ui.event(&json!({ "type": "ready", "runs": ids }))?;
    }
    let board = cx.ui.board();
    let mut all: BTreeMap<i64, Known> = BTreeMap::new();
    let mut left = watched;
    let mut answered = Instant::now();
    let mut away = false;
    loop {
        match look(api, &left).await {
            Ok(seen) => {
                (answered, away) = (Instant::now(), false);
                for (watched, run, attempts) in seen {
                    let standing = Standing::of(&run, &attempts, watched.asked);
                    let before = all.get(&watched.id).and_then(|known| known.standing.clone());
                    let known = Known { run, attempts, standing: Some(standing.clone()) };
                    if before.as_ref() != Some(&standing) {
                        change(cx, &board, &known, before.as_ref(), watched.asked.is_some())?;
                    }
                    show(cx, &board, &known);
                    if standing.over {
                        left.retain(|other| other.id != watched.id);
                    }
                    all.insert(watched.id, known);
                }
            }
            Err(error) if error.kind != Kind::Upstream || answered.elapsed() > AWAY => return Err(error),
            Err(error) if !away => {
                board.aside(|| cx.ui.warn(format!("{}; waiting for it", error.message)));
                away = true;
            }
            Err(_) => {}
        }
        if left.is_empty() {
            break;
        }
        if let Some(lost) =
            left.iter().find(|one| one.asked.is_some() && begun.elapsed() > TAKEN_UP && is_lost(&all, one))
        {
            return Err(Error::failure(format!(
                "recipe run {} was not taken up within {}",
                lost.id,
                duration(TAKEN_UP)
            ))
            .because("a worker of the server has to do that")
            .hint(format!("pforge jobs list --key recipe-run/{}", lost.id)));
        }
        sleep(EVERY).await;
    }
    drop(board);
    summary(cx, &all)
}

fn is_lost(all: &BTreeMap<i64, Known>, watched: &Watched) -> bool {
    let standing = all.get(&watched.id).and_then(|known| known.standing.as_ref());
    standing.is_none_or(|standing| standing.attempt <= watched.asked.unwrap_or_default())
}

async fn look(api: &Api, watched: &[Watched]) -> Result<Vec<(Watched, Value, Vec<Value>)>> {
    let one = |watched: Watched| async move {
        let (run, attempts) = tokio::try_join!(runs::get(api, watched.id), runs::attempts(api, watched.id))?;
        Ok::<_, Error>((watched, run, attempts))
    };
    stream::iter(watched.to_vec()).map(one).buffered(AT_ONCE).try_collect().await
}

/// Tells that a run stands otherwise than before.
fn change(cx: &Cx, board: &Board, known: &Known, before: Option<&Standing>, asked: bool) -> Result {
    let (run, Some(now)) = (&known.run, &known.standing) else { return Ok(()) };
    if cx.ui.json() {
        return cx.ui.event(&json!({
            "type": "run",
            "id": run["id"],
            "state": now.state,
            "before": before.map(|before| &before.state),
            "attempt": now.attempt,
            "over": now.over,
            "reason": known.attempts.last().map(|attempt| &attempt["reason"]),
            "run": run,
        }));
    }
    let at = cx.clock.now();
    let mut line = format!(
        "{}  {} {:<20} {}",
        cx.ui.paint_out(Tone::Dim, &at.format("%H:%M:%S").to_string()),
        mark(cx, now),
        name(run),
        cx.ui.paint_out(runs::tone(&now.state), &words(known, at)),
    );
    if now.state == "queued" && now.attempt == 0 && !asked {
        line += &format!(" · nobody has asked for it yet: pforge runs retry {}", run["id"]);
    }
    if let Some(reason) = known.attempts.last().and_then(|attempt| attempt["reason"].as_str()).filter(|_| now.over) {
        line += &format!(" · {reason}");
    }
    if let Some(url) = run["dataset_public_url"].as_str().filter(|_| now.state == "success") {
        line += &format!(" · {}", cx.ui.paint_out(Tone::Link, url));
    }
    board.aside(|| cx.ui.line(line))
}

/// Shows how a run stands where that is renewed.
fn show(cx: &Cx, board: &Board, known: &Known) {
    let (run, Some(now)) = (&known.run, &known.standing) else { return };
    let id = run["id"].as_i64().unwrap_or_default();
    if now.over {
        return board.done(id);
    }
    let state = cx.ui.paint(runs::tone(&now.state), &words(known, cx.clock.now()));
    board.set(id, format!("{:<20} {state}", name(run)));
}

fn mark(cx: &Cx, standing: &Standing) -> String {
    match standing.state.as_str() {
        good if standing.over && runs::is_good(good) => cx.ui.paint_out(Tone::Good, "✓"),
        _ if standing.over => cx.ui.paint_out(Tone::Bad, "✗"),
        "in_progress" => cx.ui.paint_out(Tone::Link, "→"),
        _ => cx.ui.paint_out(Tone::Dim, "·"),
    }
}

/// `run 7 daily`.
fn name(run: &Value) -> String {
    format!("run {} {}", run["id"], field(run, "recipe_id"))
}

/// `success after 12 s`, with the attempt when it is not the first.
fn words(known: &Known, now: DateTime<Utc>) -> String {
    let Some(standing) = &known.standing else { return String::new() };
    let (row, end) = match known.attempts.last() {
        Some(attempt) => (attempt, "ended_at"),
        None => (&known.run, "completed_at"),
    };
    let mut words = standing.state.clone();
    if standing.attempt > 1 {
        words += &format!(" (attempt {})", standing.attempt);
    }
    match runs::took(row, end, now).filter(|_| standing.state != "queued").map(duration) {
        Some(took) if standing.over => words + " after " + &took,
        Some(took) => words + " for " + &took,
        None => words,
    }
}

fn summary(cx: &Cx, all: &BTreeMap<i64, Known>) -> Result {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let ends: Vec<&str> =
        all.values().filter_map(|known| known.standing.as_ref()).map(|end| end.state.as_str()).collect();
    for end in &ends {
        *counts.entry(end).or_default() += 1;
    }
    let bad = ends.iter().filter(|end| !runs::is_good(end)).count();
    if cx.ui.json() {
        cx.ui.event(&json!({ "type": "end", "runs": ends.len(), "failed": bad, "conclusions": counts }))?;
    } else {
        let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        cx.ui.status(format!("{} over: {}", plural(ends.len() as u64, "run"), counts.join(", ")));
        let bad = all.values().find(|known| known.standing.as_ref().is_some_and(|end| !runs::is_good(&end.state)));
        if let Some(known) = bad {
            cx.ui.hint(format!("pforge runs show {}", known.run["id"]));
        }
    }
    if bad > 0 { Err(Error::told(1)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Standing;

    #[test]
    fn the_newest_attempt_says_how_a_run_stands() {
        let open = json!({ "number": 2, "started_at": null, "conclusion": null });
        let runs = json!({ "number": 2, "started_at": "2026-01-01T00:00:00Z", "conclusion": null });
        let failed = json!({ "number": 1, "started_at": "2026-01-01T00:00:00Z", "conclusion": "failure" });
        let run = json!({ "status": "completed", "conclusion": "failure" });
        let queued = json!({ "status": "queued", "conclusion": null });
        for (row, attempts, asked, state, over) in [
            (&run, vec![], None, "failure", true),
            (&queued, vec![], None, "queued", false),
            (&run, vec![], Some(0), "queued", false),
            (&run, vec![&failed], None, "failure", true),
            // Asked for again, and not taken up yet.
            (&run, vec![&failed], Some(1), "queued", false),
            (&run, vec![&failed, &open], Some(1), "queued", false),
            (&run, vec![&failed, &runs], Some(1), "in_progress", false),
        ] {
            let attempts: Vec<_> = attempts.into_iter().cloned().collect();
            let standing = Standing::of(row, &attempts, asked);
            assert_eq!((standing.state.as_str(), standing.over), (state, over), "{attempts:?} {asked:?}");
        }
    }
}
