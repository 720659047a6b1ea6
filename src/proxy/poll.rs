//! Deliveries without a tunnel: GitHub's log, read again and again.
//!
//! GitHub keeps what it could not deliver as well, so any public URL serves, also one where nobody
//! answers. Reads that find nothing new cost nothing of the rate limit.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

use super::log::Log;
use super::notice::{Notice, Notices, Origin};
use super::session::{Arrival, Delivery};
use super::verify::Trust;
use crate::github::Error;
use crate::github::api::apps::HookDelivery;
use crate::util::retry::Backoff;

/// GitHub's log lags by minutes at times: so far back it is read again.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// So often a delivery is asked for that is listed and not found.
const LOST: u32 = 10;

/// How often the log is read.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// While deliveries come.
    pub busy: Duration,
    /// While none come, at the longest.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { busy: Duration::from_millis(1500), idle: Duration::from_secs(15) }
    }
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With what comes from now on.
    Now,
    /// After this attempt.
    After(i64),
    /// With what was sent at this time or later.
    Time(DateTime<Utc>),
}

/// Reads GitHub's log.
#[derive(Debug)]
pub struct Poll {
    log: Log,
    pace: Pace,
    from: From,
    /// Attempts that were dealt with, of the time that is read again.
    handled: BTreeMap<i64, DateTime<Utc>>,
    /// How often an attempt was listed and not found.
    lost: BTreeMap<i64, u32>,
    /// The ids of the newest page at the last look: while they are the same, nothing is new.
    newest_page: Vec<i64>,
    /// Looks that failed since the last one that did not.
    failures: u32,
    connected: bool,
}

impl Poll {
    /// A reader of `log`.
    pub fn new(log: Log, pace: Pace, from: From) -> Self {
        Self {
            log,
            pace,
            from,
            handled: BTreeMap::new(),
            lost: BTreeMap::new(),
            newest_page: Vec::new(),
            failures: 0,
            connected: false,
        }
    }

    /// Reads for ever.
    pub async fn run(mut self, trust: &Trust, to: &Sender<Arrival>, notices: &Notices) -> Infallible {
        let backoff = Backoff { base: self.pace.busy, factor: 2, cap: Duration::from_secs(60), jitter: 0.3 };
        let mut wait = self.pace.busy;
        loop {
            match self.look(trust, to, notices).await {
                Ok(found) => wait = if found { self.pace.busy } else { wait.mul_f64(1.3).min(self.pace.idle) },
                Err(error) => {
                    self.failures += 1;
                    wait = backoff.delay(self.failures, error.retry_after(), fastrand::f64());
                    notices.tell(Notice::Reconnecting { reason: error.to_string(), wait });
                }
            }
            sleep(wait).await;
        }
    }

    /// The log can be read: told once, and again after it could not.
    fn readable(&mut self, notices: &Notices) {
        if std::mem::take(&mut self.failures) > 0 || !self.connected {
            notices.tell(Notice::Connected { again: self.connected });
        }
        self.connected = true;
    }

    /// One look at the log; whether there was anything new.
    async fn look(&mut self, trust: &Trust, to: &Sender<Arrival>, notices: &Notices) -> Result<bool, Error> {
        if self.from == From::Now {
            // An empty log: everything that will be in it is new.
            let newest = self.log.newest().await?.unwrap_or(0);
            self.readable(notices);
            self.from = From::After(newest);
            let _ = to.send(Arrival::Mark(newest)).await;
            return Ok(false);
        }
        let page = self.log.newest_page().await?;
        self.readable(notices);
        if page == self.newest_page && self.lost.is_empty() {
            return Ok(false);
        }
        let new = self.new_ones().await?;
        for delivery in &new {
            let fetched = match self.log.fetch(delivery.id, trust).await {
                Ok(fetched) => fetched,
                Err(error) if error.status() == Some(404) => {
                    let times = self.lost.entry(delivery.id).or_default();
                    *times += 1;
                    if *times >= LOST {
                        self.lost.remove(&delivery.id);
                        self.handled.insert(delivery.id, delivery.delivered_at);
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.lost.remove(&delivery.id);
            let arrival = Delivery {
                incoming: fetched.incoming,
                origin: Origin::Log,
                attempt: Some(delivery.id),
                verdict: Some(fetched.verdict),
            };
            if to.send(Arrival::Delivery(Box::new(arrival))).await.is_err() {
                return Ok(false);
            }
            self.handled.insert(delivery.id, delivery.delivered_at);
        }
        self.forget();
        self.newest_page = page;
        Ok(!new.is_empty())
    }

    /// What is in the log and was not dealt with, oldest first.
    async fn new_ones(&self) -> Result<Vec<HookDelivery>, Error> {
        let again_from = self.handled.values().max().map(|newest| *newest - OVERLAP);
        let before = |delivery: &HookDelivery| match self.from {
            From::After(id) => delivery.id <= id,
            From::Time(time) => delivery.delivered_at < time,
            From::Now => true,
        };
        let stop =
            |delivery: &HookDelivery| before(delivery) || again_from.is_some_and(|time| delivery.delivered_at < time);
        let mut listed = self.log.back_to(stop).await?;
        listed.retain(|delivery| !self.handled.contains_key(&delivery.id));
        Ok(listed)
    }

    /// Forgets what is not read again.
    fn forget(&mut self) {
        if let Some(newest) = self.handled.values().max().copied() {
            self.handled.retain(|_, at| *at >= newest - OVERLAP);
        }
    }
}
