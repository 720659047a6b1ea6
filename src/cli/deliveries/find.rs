//! From what a person types to an event: a GUID, the beginning of one, or GitHub's number of an
//! attempt.

use std::collections::BTreeSet;

use serde_json::Value;

use super::local::{Local, Wanted};
use super::log::Log;
use super::tape::Tape;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::job::field;
use crate::github::api::apps::HookDelivery;
use crate::store::deliveries::DeliveryFilter;
use crate::util::text::plural;

/// Characters that a beginning must have.
const SHORTEST: usize = 4;
/// A beginning of this length is taken at its first match: among 10 000 events, two share eight
/// digits once in 86 App lives, and reading a long log to its end takes minutes.
const CERTAIN: usize = 8;
/// How many candidates are listed.
const LISTED: u32 = 10;

/// An event and all that is known of it.
#[derive(Clone, Debug)]
pub struct Known {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// GitHub's attempts, oldest first; empty when its log does not have it, or was not asked.
    pub attempts: Vec<HookDelivery>,
    /// The attempt that was asked for by its number.
    pub asked: Option<i64>,
    /// The local store's `GET /deliveries/{guid}`; `None` when it is not there, or was not asked.
    pub local: Option<Value>,
}

impl Known {
    /// `X-GitHub-Event`.
    pub fn event(&self) -> &str {
        event(&self.attempts, self.local.as_ref())
    }

    /// The payload's `action`.
    pub fn action(&self) -> Option<&str> {
        action(&self.attempts, self.local.as_ref())
    }

    /// `event.action`, or the event alone.
    pub fn name(&self) -> String {
        name(self.event(), self.action())
    }

    /// The attempt that is meant: the one that was asked for, else the newest.
    pub fn attempt(&self) -> Option<&HookDelivery> {
        let asked = self.attempts.iter().find(|attempt| Some(attempt.id) == self.asked);
        asked.or(self.attempts.last())
    }

    /// `owner/repo`, as far as the local store knows it.
    pub fn repo(&self) -> Option<&str> {
        self.local.as_ref()?["repo"].as_str()
    }
}

/// `X-GitHub-Event`, as GitHub or else the local store knows it.
pub fn event<'a>(attempts: &'a [HookDelivery], local: Option<&'a Value>) -> &'a str {
    let stored = || local.map_or("", |local| field(local, "event"));
    attempts.first().map_or_else(stored, |attempt| &attempt.event)
}

/// The payload's `action`, as GitHub or else the local store knows it.
pub fn action<'a>(attempts: &'a [HookDelivery], local: Option<&'a Value>) -> Option<&'a str> {
    let remote = attempts.first().and_then(|attempt| attempt.action.as_deref());
    remote.or_else(|| local?["action"].as_str())
}

/// `event.action`, or the event alone.
pub fn name(event: &str, action: Option<&str>) -> String {
    action.map_or_else(|| event.to_owned(), |action| format!("{event}.{action}"))
}

impl Log {
    /// The event that `id` means.
    ///
    /// # Errors
    /// [`Kind::NotFound`] with the places that were searched; [`Kind::Usage`] when it is too short
    /// or means several events; when a side does not answer.
    pub async fn find(&mut self, id: &str) -> Result<Known> {
        let id = id.trim().to_ascii_lowercase();
        if let (Some(tape), Ok(number)) = (&self.github, id.parse::<i64>())
            && let Some(detail) = tape.detail(number).await?
        {
            let known = self.known(detail.delivery.guid).await?.ok_or_else(|| self.absent(&id))?;
            return Ok(Known { asked: Some(number), ..known });
        }
        let whole = id.len() == 36;
        if !whole && id.len() < SHORTEST {
            let told = Error::usage(format!("{id:?} is too short to name a delivery"));
            return Err(told.because(format!("give {SHORTEST} characters of its GUID or more, or GitHub's number")));
        }
        if whole {
            return self.known(id.clone()).await?.ok_or_else(|| self.absent(&id));
        }
        let mut guids = BTreeSet::new();
        if let Some(local) = &self.local {
            guids.extend(beginning_with(local, &id).await?);
        }
        if let Some(tape) = &mut self.github {
            let enough = if id.len() >= CERTAIN { 1 } else { usize::MAX };
            read_beginning_with(tape, &id, enough, &mut guids).await?;
        }
        match (guids.len(), guids.first()) {
            (_, None) => Err(self.absent(&id)),
            (1, Some(guid)) => self.known(guid.clone()).await?.ok_or_else(|| self.absent(&id)),
            (count, _) => Err(ambiguous(&id, count, &guids)),
        }
    }

    /// What both sides have of the event `guid`; `None` when neither has it.
    ///
    /// # Errors
    /// When a side does not answer.
    pub async fn known(&mut self, guid: String) -> Result<Option<Known>> {
        let local = match &self.local {
            Some(local) => local.get(&guid).await?,
            None => None,
        };
        let attempts = match &mut self.github {
            Some(tape) => tape.attempts_of(&guid).await?,
            None => Vec::new(),
        };
        let found = local.is_some() || !attempts.is_empty();
        Ok(found.then_some(Known { guid, attempts, asked: None, local }))
    }

    fn absent(&self, id: &str) -> Error {
        let mut told = Error::new(Kind::NotFound, format!("no delivery {id}"));
        if let Some(tape) = &self.github {
            let count = plural(tape.attempts().len() as u64, "attempt");
            let days = self.window_days;
            told = told.because(if tape.is_cut() {
                format!("it is not among the newest {count} of GitHub's log")
            } else {
                format!("it is not in GitHub's log of the last {days} days ({count})")
            });
        }
        if let Some(local) = &self.local {
            let place = match local {
                Local::Server(_) => "the server's store",
                Local::Database(_) => "the local database",
            };
            told = told.because(format!("it is not in {place}"));
        }
        told.hint("pforge deliveries list")
    }
}

async fn beginning_with(local: &Local, prefix: &str) -> Result<Vec<String>> {
    let filter = DeliveryFilter { guid: Some(prefix.to_owned()), limit: LISTED + 1, ..DeliveryFilter::default() };
    let page = local.page(&Wanted { filter, text: None }, None).await?;
    Ok(page.items.iter().map(|item| field(item, "guid").to_owned()).collect())
}

/// Reads the log to its end, or until `enough` events are known.
async fn read_beginning_with(tape: &mut Tape, prefix: &str, enough: usize, guids: &mut BTreeSet<String>) -> Result<()> {
    let mut seen = 0;
    loop {
        let fresh = &tape.attempts()[seen..];
        guids.extend(fresh.iter().filter(|attempt| attempt.guid.starts_with(prefix)).map(|found| found.guid.clone()));
        seen = tape.attempts().len();
        if guids.len() >= enough || !tape.read().await? {
            return Ok(());
        }
    }
}

fn ambiguous(id: &str, count: usize, guids: &BTreeSet<String>) -> Error {
    let most = LISTED as usize;
    let told = Error::usage(format!("{id} is the beginning of {count} GUIDs"));
    let told = guids.iter().take(most).fold(told, |told, guid| told.because(guid));
    if count > most { told.because("and others") } else { told }
}
