//! GitHub's log: attempts, newest first, read page by page as far as somebody wants to see.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use crate::github::api::apps::{HookDelivery, HookDeliveryDetail, NextPage};
use crate::github::{Client, Error};

/// Pages that are read at most: 20 000 attempts. Beyond that a busy App would spend an hour's
/// allowance of calls on one question.
const PAGES: u32 = 200;

/// The part of GitHub's log that was read so far.
pub struct Tape {
    client: Client,
    attempts: Vec<HookDelivery>,
    next: Option<NextPage>,
    pages: u32,
}

impl Tape {
    /// Reads the newest page.
    ///
    /// # Errors
    /// When GitHub does not answer, or refuses.
    pub async fn open(client: Client) -> Result<Self, Error> {
        let page = client.hook_deliveries(None).await?;
        Ok(Self { client, attempts: page.items, next: page.next, pages: 1 })
    }

    /// The client that speaks as the App.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What was read, newest first.
    pub fn attempts(&self) -> &[HookDelivery] {
        &self.attempts
    }

    /// Reads a page more; `false` at the end.
    ///
    /// # Errors
    /// When GitHub does not answer, or refuses.
    pub async fn read(&mut self) -> Result<bool, Error> {
        if self.pages >= PAGES {
            return Ok(false);
        }
        let Some(next) = &self.next else { return Ok(false) };
        let page = self.client.hook_deliveries(Some(next)).await?;
        self.attempts.extend(page.items);
        self.next = page.next;
        self.pages += 1;
        Ok(true)
    }

    /// Whether there is more that [`Tape::read`] can get.
    pub fn has_more(&self) -> bool {
        self.next.is_some() && self.pages < PAGES
    }

    /// Whether GitHub has more than is ever read here.
    pub fn is_cut(&self) -> bool {
        self.next.is_some() && self.pages >= PAGES
    }

    /// All attempts after this time were read; `None` when all of them were.
    pub fn horizon(&self) -> Option<DateTime<Utc>> {
        self.attempts.last().filter(|_| self.has_more()).map(|attempt| attempt.delivered_at)
    }

    /// One attempt with what was sent and answered; `None` when GitHub does not know it (any more).
    ///
    /// # Errors
    /// When GitHub does not answer, or refuses.
    pub async fn detail(&self, id: i64) -> Result<Option<HookDeliveryDetail>, Error> {
        match self.client.hook_delivery(id).await {
            Err(error) if matches!(error.status(), Some(400 | 404 | 422)) => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    /// The attempts of the event `guid`, oldest first. Reads on until its first attempt, which is
    /// the one that is no redelivery.
    ///
    /// # Errors
    /// When GitHub does not answer, or refuses.
    pub async fn attempts_of(&mut self, guid: &str) -> Result<Vec<HookDelivery>, Error> {
        let mut found = VecDeque::new();
        let mut seen = 0;
        loop {
            for attempt in &self.attempts[seen..] {
                if attempt.guid == guid {
                    found.push_front(attempt.clone());
                }
            }
            seen = self.attempts.len();
            let complete = found.front().is_some_and(|first| !first.redelivery);
            if complete || !self.read().await? {
                return Ok(found.into());
            }
        }
    }
}
