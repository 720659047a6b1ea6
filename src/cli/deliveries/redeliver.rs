//! Asking GitHub to deliver again, politely, and waiting for what comes of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::filter::Wish;
use super::find::name;
use crate::cli::error::Result;
use crate::cli::ui::Ui;
use crate::github::api::apps::HookDelivery;
use crate::github::missed::{Log, Missed};
use crate::github::{self, Client};
use crate::util::text::duration;

/// Between two writes, as GitHub asks for:
/// <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>
const PACE: Duration = Duration::from_secs(1);
/// A wait that GitHub asks for is waited up to this long.
const PATIENCE: Duration = Duration::from_secs(900);
/// How often one request is made that runs into a limit.
const TRIES: u32 = 3;
/// Between two looks for outcomes.
const LOOK: Duration = Duration::from_millis(500);
const LOOK_MOST: Duration = Duration::from_secs(5);
/// GitHub's log may name attempts in another order than they were made.
const SLACK: TimeDelta = TimeDelta::minutes(2);

/// The events of GitHub's log that no attempt could deliver, oldest first: those whose newest
/// attempt is of the wished kind and time. GitHub knows a repository by its number.
///
/// # Errors
/// When GitHub does not answer, or refuses.
pub async fn failed(
    client: &Client,
    wish: &Wish,
    repository: Option<i64>,
) -> std::result::Result<Vec<Missed>, github::Error> {
    let mut log = Log::default();
    let mut page = client.hook_deliveries(None).await?;
    loop {
        log.add(&page.items);
        let enough = wish.since.is_some_and(|since| log.reaches(since));
        let Some(next) = page.next.filter(|_| !enough) else { break };
        page = client.hook_deliveries(Some(&next)).await?;
    }
    let fits = |newest: &HookDelivery| {
        wish.spans(newest.delivered_at)
            && wish.names(&newest.event, newest.action.as_deref())
            && repository.is_none_or(|number| newest.repository_id == Some(number))
    };
    Ok(log.missed().into_iter().filter(|missed| fits(&missed.newest)).collect())
}

/// What became of one event.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// GitHub was asked; nobody waited.
    Asked,
    /// Delivered.
    Ok(Box<HookDelivery>),
    /// It failed again.
    Failed(Box<HookDelivery>),
    /// No outcome was seen in time.
    Unknown,
    /// GitHub refused to deliver it again, for this reason.
    Refused(String),
}

/// An event with what became of it.
#[derive(Clone, Debug)]
pub struct Redelivered {
    /// Its newest attempt before.
    pub before: HookDelivery,
    /// What became of it.
    pub outcome: Outcome,
}

impl Redelivered {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let before = &self.before;
        let (outcome, attempt, reason) = match &self.outcome {
            Outcome::Asked => ("asked", None, None),
            Outcome::Ok(attempt) => ("ok", Some(attempt), None),
            Outcome::Failed(attempt) => ("failed", Some(attempt), None),
            Outcome::Unknown => ("unknown", None, None),
            Outcome::Refused(reason) => ("refused", None, Some(reason)),
        };
        json!({
            "guid": before.guid,
            "event": before.event,
            "action": before.action,
            "redelivered": before.id,
            "outcome": outcome,
            "attempt": attempt,
            "reason": reason,
        })
    }
}

/// Asks GitHub to deliver each of these attempts again, one a second at most.
///
/// # Errors
/// When the App is not let in at all.
pub async fn ask(client: &Client, ui: &Ui, attempts: Vec<HookDelivery>) -> Result<Vec<Redelivered>> {
    let bar = ui.progress("Redelivering", attempts.len());
    let mut done = Vec::with_capacity(attempts.len());
    let mut next = Instant::now();
    for attempt in attempts {
        let mut tries = 1;
        let outcome = loop {
            sleep_until(next).await;
            next = Instant::now() + PACE;
            match client.redeliver(attempt.id).await {
                Ok(()) => break Outcome::Asked,
                Err(error) if error.status() == Some(401) => return Err(error.into()),
                Err(error) => match error.retry_after().filter(|wait| *wait <= PATIENCE && tries < TRIES) {
                    Some(wait) => {
                        bar.aside(|| ui.status(format!("GitHub asks to wait for {}.", duration(wait))));
                        next = Instant::now() + wait;
                        tries += 1;
                    }
                    // It may have arrived: the log will tell.
                    None if matches!(error, github::Error::Transport { .. }) => break Outcome::Asked,
                    None => break Outcome::Refused(error.to_string()),
                },
            }
        };
        bar.step(&name(&attempt.event, attempt.action.as_deref()));
        done.push(Redelivered { before: attempt, outcome });
    }
    Ok(done)
}

/// The time up to which GitHub's log has entries, by GitHub's clock.
///
/// # Errors
/// When GitHub does not answer, or refuses.
pub async fn newest(client: &Client) -> Result<DateTime<Utc>> {
    let page = client.hook_deliveries(None).await?;
    Ok(page.items.first().map(|newest| newest.delivered_at).unwrap_or_default())
}

/// Waits until GitHub's log has an outcome of everything that was asked for, or `patience` is over.
/// `since` is what [`newest`] gave before.
///
/// # Errors
/// When GitHub does not answer, or refuses.
pub async fn wait(
    client: &Client,
    ui: &Ui,
    all: &mut [Redelivered],
    since: DateTime<Utc>,
    patience: Duration,
) -> Result {
    let bar = ui.progress("Waiting for the outcomes", all.len());
    let deadline = Instant::now() + patience;
    let mut pause = LOOK;
    let mut waiting: HashMap<String, &mut Redelivered> = all
        .iter_mut()
        .filter(|one| matches!(one.outcome, Outcome::Asked))
        .map(|one| (one.before.guid.clone(), one))
        .collect();
    while !waiting.is_empty() && Instant::now() < deadline {
        sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
        pause = (pause * 3 / 2).min(LOOK_MOST);
        for attempt in newer(client, since - SLACK).await? {
            let found = waiting.get(&attempt.guid).is_some_and(|one| attempt.redelivery && attempt.id > one.before.id);
            if found && let Some(one) = waiting.remove(&attempt.guid) {
                bar.step(&name(&attempt.event, attempt.action.as_deref()));
                let (good, attempt) = (attempt.is_good(), Box::new(attempt));
                one.outcome = if good { Outcome::Ok(attempt) } else { Outcome::Failed(attempt) };
            }
        }
    }
    for one in waiting.into_values() {
        one.outcome = Outcome::Unknown;
    }
    Ok(())
}

/// The attempts of the log back to `since`, newest first.
async fn newer(client: &Client, since: DateTime<Utc>) -> Result<Vec<HookDelivery>> {
    let mut all = Vec::new();
    let mut page = client.hook_deliveries(None).await?;
    loop {
        let far = page.items.last().is_none_or(|oldest| oldest.delivered_at < since);
        all.extend(page.items);
        let Some(next) = page.next.filter(|_| !far) else { return Ok(all) };
        page = client.hook_deliveries(Some(&next)).await?;
    }
}

/// The newest attempt of each event; events that are named twice count once.
pub fn distinct(attempts: Vec<HookDelivery>) -> Vec<HookDelivery> {
    let mut seen = HashSet::new();
    attempts.into_iter().filter(|attempt| seen.insert(attempt.guid.clone())).collect()
}
