//! One run: read GitHub's log back to the mark, fetch what was missed, and take it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::time::sleep;
use url::Url;

use super::{Reconciled, Trouble};
use crate::github;
use crate::github::Client;
use crate::github::api::apps::HookDeliveryDetail;
use crate::github::headers::{SIGNATURE_1, SIGNATURE_256};
use crate::github::missed::{Log, Missed};
use crate::server::ingest::{self, Hook, Untaken};
use crate::server::shared::Shared;
use crate::store::deliveries;
use crate::store::ingest::Recorded;

/// The log may lag by some minutes
/// (<https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/troubleshooting-webhooks>),
/// so that so much before the mark is read again.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// Pages of a hundred that are read at most.
const PAGES: usize = 500;
/// Deliveries that are taken by one run.
const PER_RUN: usize = 500;
/// Between two deliveries: GitHub allows 900 reads a minute.
const PACE: Duration = Duration::from_millis(75);
/// How often a delivery is asked for that the log names and GitHub does not find: the log may be
/// ahead of what shows it.
const LOOKS: u32 = 4;
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// Tells in the stored headers how a delivery came.
const SOURCE: HeaderName = HeaderName::from_static("x-pforge-source");

/// A run and what it did so far.
pub struct Run<'a> {
    shared: &'a Arc<Shared>,
    github: &'a Client,
    refused: &'a mut HashSet<String>,
    /// Everything before this time is settled.
    pub settled: Option<DateTime<Utc>>,
    /// What it did.
    pub report: Reconciled,
}

/// What became of one delivery.
enum One {
    Recorded(Recorded),
    Refused,
    Gone,
}

impl<'a> Run<'a> {
    /// A run that did nothing yet. What stands in `refused` is left; more may come to it.
    pub fn new(shared: &'a Arc<Shared>, github: &'a Client, refused: &'a mut HashSet<String>) -> Self {
        Self { shared, github, refused, settled: None, report: Reconciled::default() }
    }

    /// Reads the log back to `since`, or to its end, and takes what was missed.
    pub async fn work(&mut self, since: Option<DateTime<Utc>>) -> Result<(), Trouble> {
        let log = self.read(since).await?;
        let newest = log.newest();
        let mut missed = log.missed();
        let known = self.known(&missed).await?;
        missed.retain(|Missed { newest, .. }| !known.contains(&newest.guid) && !self.refused.contains(&newest.guid));
        self.report.missed = missed.len() as u64;
        self.report.left = self.report.missed;
        for (number, one) in missed.iter().enumerate() {
            // What comes after is tried again from here.
            self.settled = Some(one.first_at);
            if number == PER_RUN {
                return Ok(());
            }
            if number > 0 {
                sleep(PACE).await;
            }
            let outcome = self.one(one).await?;
            self.report.left -= 1;
            match outcome {
                One::Recorded(Recorded::New { jobs, .. }) => {
                    self.report.processed += 1;
                    self.report.jobs += u64::from(jobs);
                }
                // It came by itself meanwhile.
                One::Recorded(Recorded::Repeat { .. }) => self.report.missed -= 1,
                One::Refused => {
                    self.report.refused += 1;
                    self.refused.insert(one.newest.guid.clone());
                }
                One::Gone => self.report.gone += 1,
            }
        }
        self.settled = newest;
        Ok(())
    }

    async fn read(&self, since: Option<DateTime<Utc>>) -> Result<Log, Trouble> {
        let mut log = Log::default();
        let mut page = self.github.hook_deliveries(None).await?;
        for number in 1.. {
            log.add(&page.items);
            if since.is_some_and(|since| log.reaches(since - OVERLAP)) {
                break;
            }
            let Some(next) = page.next else { break };
            if number == PAGES {
                tracing::warn!(pages = PAGES, "GitHub's log of deliveries is longer than what is read of it");
                break;
            }
            page = self.github.hook_deliveries(Some(&next)).await?;
        }
        Ok(log)
    }

    /// Which of them any of the apps has.
    async fn known(&self, missed: &[Missed]) -> Result<HashSet<String>, Trouble> {
        let guids: Vec<&str> = missed.iter().map(|missed| missed.newest.guid.as_str()).collect();
        let mut known = HashSet::new();
        for app in &self.shared.apps {
            known.extend(deliveries::known(&self.shared.api.db, app.name(), &guids).await?);
        }
        Ok(known)
    }

    async fn one(&self, missed: &Missed) -> Result<One, Trouble> {
        let Some(detail) = self.look(missed).await? else { return Ok(One::Gone) };
        let Some(payload) = detail.request.payload.as_ref().filter(|payload| payload.is_object()) else {
            tracing::warn!(guid = missed.newest.guid, "GitHub does not show the payload of a delivery that failed");
            return Ok(One::Gone);
        };
        // GitHub shows what it sent parsed: these are other bytes with the same meaning, which the
        // signature that it sent does not fit.
        let body = Bytes::from(payload.to_string());
        let Some(hook) = self.hook(detail.url.as_deref()) else { return Ok(One::Refused) };
        let headers = self.headers(&detail, missed, &body);
        match ingest::take(self.shared, hook, &format!("reconcile-{}", missed.newest.id), headers, body).await {
            Ok(recorded) => Ok(One::Recorded(recorded)),
            Err(Untaken::Unstored(error)) => Err(error.into()),
            Err(Untaken::Refused(reason)) => {
                tracing::warn!(
                    guid = missed.newest.guid,
                    reason,
                    "a delivery that GitHub could not deliver is refused"
                );
                Ok(One::Refused)
            }
        }
    }

    /// The delivery in detail; `None` when GitHub does not show it.
    async fn look(&self, missed: &Missed) -> Result<Option<HookDeliveryDetail>, Trouble> {
        let mut pause = FIRST_LOOK;
        for look in 1.. {
            match self.github.hook_delivery(missed.newest.id).await {
                Ok(detail) => return Ok(Some(detail)),
                Err(error) if error.status() == Some(404) && look < LOOKS => {
                    sleep(pause).await;
                    pause *= 2;
                }
                // It is this delivery's trouble, and no reason to leave the others.
                Err(error @ github::Error::Decode { .. }) => {
                    tracing::warn!(guid = missed.newest.guid, %error, "a delivery that failed cannot be read");
                    break;
                }
                Err(error) if matches!(error.status(), Some(404 | 410 | 422)) => {
                    tracing::warn!(guid = missed.newest.guid, %error, "GitHub no longer shows a delivery that failed");
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// The endpoint that GitHub tried to reach, by its path; the first where none fits.
    fn hook(&self, url: Option<&str>) -> Option<&'a Arc<Hook>> {
        let url = url.and_then(|url| Url::parse(url).ok());
        let path = url.as_ref().map(|url| url.path().trim_end_matches('/'));
        let hooks = &self.shared.hooks;
        hooks.iter().find(|hook| Some(hook.path) == path).or_else(|| hooks.first())
    }

    /// What GitHub sent, as far as it holds for these bytes.
    fn headers(&self, detail: &HookDeliveryDetail, missed: &Missed, body: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let sent = detail.request.headers.iter().flatten();
        for (name, value) in sent.filter_map(|(name, value)| Some((name, value.as_str()?))) {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        for name in [SIGNATURE_1, SIGNATURE_256] {
            headers.remove(name);
        }
        headers.remove(header::CONTENT_LENGTH);
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, "application/json");
        set(HeaderName::from_static(github::headers::DELIVERY), &missed.newest.guid);
        set(HeaderName::from_static(github::headers::EVENT), &detail.delivery.event);
        set(SOURCE, "reconcile");
        if let Some(key) = self.shared.keys.first() {
            set(HeaderName::from_static(SIGNATURE_256), &key.sign(body));
        }
        headers
    }
}
