//! GitHub's log and the local store, merged while they are read: newest first, an event at the time
//! of its first attempt.
//!
//! Both lists come in pages, newest first. Once GitHub's log is read down to a time, every event
//! that was sent first after it is known with all its attempts, because later ones are newer. Such
//! an event is final; whether the store has it is asked directly if its row was not among those
//! read, for it may have arrived much later, by a redelivery.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::event::{Event, Place};
use super::filter::{Status, Wish};
use super::local::{Local, Wanted};
use super::log::Log;
use super::repos::Repos;
use super::tape::Tape;
use crate::cli::error::{Error, Result};
use crate::cli::job::field;

/// How far GitHub's clock and ours may differ before an event that both know is looked up twice.
const SKEW: TimeDelta = TimeDelta::minutes(2);
/// Rows of one page of the local list.
const ROWS: u32 = 200;

/// One page.
pub struct Page {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// Where the list goes on.
    pub next: Option<String>,
}

impl Log {
    /// One page of up to `limit` events; the first, or the one after the cursor `after`.
    ///
    /// # Errors
    /// When a side does not answer; when the cursor is not one of this list's; when the local store
    /// is needed and not there.
    pub async fn page(&mut self, wish: &Wish, limit: usize, after: Option<&str>) -> Result<Page> {
        let of_the_store = wish.text.is_some() || wish.status.is_some_and(|status| status.local().is_some());
        if of_the_store || self.github.is_none() {
            let after = after.map(|cursor| local_cursor(cursor).ok_or_else(not_a_cursor)).transpose()?;
            return self.local_page(wish, limit, after).await;
        }
        let after = after.map(|cursor| place_of(cursor).ok_or_else(not_a_cursor)).transpose()?;
        let Self { github: Some(tape), local, .. } = self else { return Ok(Page { events: vec![], next: None }) };
        Merging::new(tape, local.as_ref(), wish, after).page(limit).await
    }

    /// The store decides which events there are; GitHub's log adds their attempts.
    async fn local_page(&mut self, wish: &Wish, limit: usize, after: Option<String>) -> Result<Page> {
        if wish.status == Some(Status::MissingLocally) {
            return Err(Error::usage("what is missing locally can only be told by GitHub's log"));
        }
        let Some(local) = &self.local else {
            return Err(Error::usage("this can only be told by the local store").hint("pforge serve"));
        };
        let (mut rows, mut next) = (Vec::new(), after);
        loop {
            let left = u32::try_from(limit - rows.len()).unwrap_or(ROWS).min(1000);
            let wanted = Wanted { filter: wish.local(left), text: wish.text.clone() };
            let page = local.page(&wanted, next.as_deref()).await?;
            rows.extend(page.items.into_iter().map(event_of).filter(|event| wish.became(event)));
            next = page.next;
            if next.is_none() || rows.len() >= limit {
                break;
            }
        }
        if let Some(tape) = &mut self.github {
            add_attempts(tape, &mut rows).await?;
        }
        Ok(Page { events: rows, next: next.map(|next| encode(&format!("l:{next}"))) })
    }
}

/// Adds GitHub's attempts to events of the store, reading the log down to the oldest of them.
async fn add_attempts(tape: &mut Tape, events: &mut [Event]) -> Result {
    let Some(oldest) = events.iter().filter_map(Event::received_at).min() else { return Ok(()) };
    while tape.horizon().is_some_and(|horizon| horizon > oldest - SKEW) && tape.read().await? {}
    let mut attempts = by_guid(tape);
    for event in events {
        event.attempts = attempts.remove(&event.guid).unwrap_or_default();
    }
    Ok(())
}

fn by_guid(tape: &Tape) -> HashMap<String, Vec<crate::github::api::apps::HookDelivery>> {
    let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
    for attempt in tape.attempts().iter().rev() {
        attempts.entry(attempt.guid.clone()).or_default().push(attempt.clone());
    }
    attempts
}

fn event_of(row: Value) -> Event {
    let repo = row["repo"].as_str().map(str::to_owned);
    Event { guid: field(&row, "guid").to_owned(), attempts: Vec::new(), local: Some(row), repo }
}

/// Both lists, as far as they were read.
struct Merging<'a> {
    tape: &'a mut Tape,
    local: Option<&'a Local>,
    wish: &'a Wish,
    rows: HashMap<String, Value>,
    /// Where the local list goes on; `None` at its end.
    next: Option<Option<String>>,
    /// All rows after this time were read.
    read_to: Option<DateTime<Utc>>,
    /// Asked for by their GUID.
    asked: HashMap<String, Option<Value>>,
    repos: Repos,
    /// Events below this are still to come.
    below: Option<Place>,
}

impl<'a> Merging<'a> {
    fn new(tape: &'a mut Tape, local: Option<&'a Local>, wish: &'a Wish, below: Option<Place>) -> Self {
        let next = local.map(|_| None);
        let (rows, asked, repos) = (HashMap::new(), HashMap::new(), Repos::default());
        Self { tape, local, wish, rows, next, read_to: None, asked, repos, below }
    }

    async fn page(mut self, limit: usize) -> Result<Page> {
        let mut events: Vec<Event> = Vec::new();
        let mut told = HashSet::new();
        // Where little is wanted, more and more is read before it is looked at.
        let mut stride = 1;
        loop {
            for event in self.final_events() {
                let place = event.place();
                if let Some(event) = self.wanted(event).await? {
                    if events.len() == limit {
                        let next = events.last().map(|last| cursor(last.place()));
                        return Ok(Page { events, next });
                    }
                    // Where the clocks differ by much, both sides' halves may come apart.
                    if told.insert(event.guid.clone()) {
                        events.push(event);
                    }
                }
                self.below = Some(place);
            }
            for page in 0..stride {
                if !self.read_on().await? {
                    if page == 0 {
                        return Ok(Page { events, next: None });
                    }
                    break;
                }
            }
            stride *= 2;
        }
    }

    /// Down to where both lists were read; `None` when they were read to their ends.
    fn horizon(&self) -> Option<DateTime<Utc>> {
        let local = self.next.as_ref().map(|_| self.read_to.unwrap_or(DateTime::<Utc>::MAX_UTC));
        self.tape.horizon().into_iter().chain(local).max()
    }

    /// Events that nothing can change that is still unread, below those of before, newest first.
    fn final_events(&mut self) -> Vec<Event> {
        let safe = self.horizon().map(|horizon| horizon.checked_add_signed(SKEW).unwrap_or(horizon));
        let mut attempts = by_guid(self.tape);
        let guids: HashSet<String> = attempts.keys().chain(self.rows.keys()).cloned().collect();
        let whole = !self.tape.has_more();
        let mut events: Vec<Event> = Vec::new();
        for guid in guids {
            let attempts = attempts.remove(&guid).unwrap_or_default();
            let local = self.rows.get(&guid).cloned();
            let event = Event { guid, attempts, local, repo: None };
            // A redelivery whose first attempt is further down.
            let open = !event.attempts.is_empty() && !event.is_whole() && !whole;
            let settled = !open && safe.is_none_or(|safe| event.at() > safe);
            if settled
                && self.below.is_none_or(|below| event.place() < below)
                && self.wish.names(event.event(), event.action())
                && self.wish.spans(event.at())
            {
                events.push(event);
            }
        }
        events.sort_by_key(Event::newest_first);
        events
    }

    /// The event with all that is to be known of it, if it is wanted.
    async fn wanted(&mut self, mut event: Event) -> Result<Option<Event>> {
        let number = event.attempts.first().and_then(|attempt| attempt.repository_id);
        if let Some(name) = number.and_then(|number| self.repos.known(number))
            && !self.wish.is_in(Some(name))
        {
            return Ok(None);
        }
        if event.local.is_none() {
            event.local = self.ask(&event.guid).await?;
        }
        let stored = event.local.as_ref().and_then(|row| row["repo"].as_str()).map(str::to_owned);
        if let (Some(number), Some(name)) = (number, &stored) {
            self.repos.learn(number, name);
        }
        event.repo = match (stored, event.attempts.first()) {
            (None, Some(attempt)) => self.repos.of(self.tape.client(), attempt).await?,
            (stored, _) => stored,
        };
        let wanted = self.wish.is_in(event.repo.as_deref()) && self.wish.became(&event);
        Ok(wanted.then_some(event))
    }

    /// The store's row, asked for by its GUID.
    async fn ask(&mut self, guid: &str) -> Result<Option<Value>> {
        let Some(local) = self.local else { return Ok(None) };
        if let Some(known) = self.asked.get(guid) {
            return Ok(known.clone());
        }
        let mut row = local.get(guid).await?;
        // As in a list: without what only one delivery's own page tells.
        if let Some(Value::Object(row)) = &mut row {
            for more in ["headers", "answer", "history", "jobs"] {
                row.shift_remove(more);
            }
        }
        self.asked.insert(guid.to_owned(), row.clone());
        Ok(row)
    }

    /// Reads a page more of the list that is read less far down; `false` when there is nothing
    /// (wanted) below.
    async fn read_on(&mut self) -> Result<bool> {
        let Some(horizon) = self.horizon() else { return Ok(false) };
        if self.wish.since.is_some_and(|since| horizon < since - SKEW) {
            return Ok(false);
        }
        let local_first = self.next.is_some()
            && self.read_to.is_none_or(|read_to| self.tape.horizon().is_none_or(|horizon| read_to >= horizon));
        if local_first { self.read_local().await.map(|()| true) } else { Ok(self.tape.read().await?) }
    }

    async fn read_local(&mut self) -> Result {
        let (Some(local), Some(after)) = (self.local, self.next.take()) else { return Ok(()) };
        let mut filter = self.wish.local(ROWS);
        // Rows above the page are of no use.
        let above = self.below.and_then(|(at, ..)| at.checked_add_signed(SKEW));
        filter.until = filter.until.into_iter().chain(above).min();
        let page = local.page(&Wanted { filter, text: None }, after.as_deref()).await?;
        for row in page.items {
            let event = event_of(row);
            self.read_to = event.received_at().or(self.read_to);
            if let Some(row) = event.local {
                // Several hooks may have received it: the newest row counts, as everywhere.
                self.rows.entry(event.guid).or_insert(row);
            }
        }
        self.next = page.next.map(Some);
        Ok(())
    }
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn decode(cursor: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

fn cursor((at, remote, local): Place) -> String {
    encode(&format!("m:{}:{remote}:{local}", at.timestamp_nanos_opt().unwrap_or_default()))
}

fn place_of(cursor: &str) -> Option<Place> {
    let text = decode(cursor)?;
    let mut parts = text.strip_prefix("m:")?.split(':').map(str::parse::<i64>);
    let (at, remote, local) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    Some((DateTime::from_timestamp_nanos(at), remote, local))
}

fn local_cursor(cursor: &str) -> Option<String> {
    decode(cursor)?.strip_prefix("l:").map(str::to_owned)
}

fn not_a_cursor() -> Error {
    Error::usage("--after is not a cursor of this list")
        .because("a cursor fits the filters and sources that it came with")
}

#[cfg(test)]
mod tests {
    use super::{DateTime, cursor, local_cursor, place_of};

    #[test]
    fn cursors_come_back() {
        let place = (DateTime::from_timestamp_nanos(1_700_000_000_123_456_789), 17, 0);
        assert_eq!(place_of(&cursor(place)), Some(place));
        for text in ["", "x", "bTox", "bDp4"] {
            assert_eq!(place_of(text), None, "{text}");
        }
        assert_eq!(local_cursor("bDp4").as_deref(), Some("x"));
        assert_eq!(local_cursor(&cursor(place)), None);
    }
}
