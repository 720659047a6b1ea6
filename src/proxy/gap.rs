//! What came while a channel's connection was away, fetched from GitHub's log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use tokio::time::timeout;
use url::Url;

use super::ledger::Ledger;
use super::log::Log;
use super::notice::{Notice, Notices, Origin};
use super::session::{Arrival, Delivery};
use super::verify::Trust;
use crate::github::Error;

/// When GitHub's log is read after a connection: at once for what it knows, later for what it
/// lists late. The first wait lets a relay resend what it kept.
pub const LOOKS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(30), Duration::from_secs(150)];

/// Fills gaps.
#[derive(Debug)]
pub struct Gap {
    /// GitHub's log.
    pub log: Log,
    /// Where GitHub sends deliveries to us; what it sent elsewhere is not ours.
    pub channel: Url,
    /// Everything up to this attempt is older than the session.
    pub floor: Option<i64>,
    /// Waits before each look at the log.
    pub looks: Vec<Duration>,
    /// Whether the first connection already has a gap before it.
    pub at_start: bool,
}

impl Gap {
    /// Looks for gaps whenever `connected` tells of a connection, until nobody tells any more.
    pub async fn watch(
        mut self,
        mut connected: UnboundedReceiver<bool>,
        ledger: Arc<Ledger>,
        trust: Trust,
        to: Sender<Arrival>,
        notices: Notices,
    ) {
        while let Some(mut again) = connected.recv().await {
            if !again && self.floor.is_none() {
                // What is newest now is older than the session.
                self.floor = self.log.newest().await.ok().flatten();
            }
            let mut look = 0;
            while look < self.looks.len() && (again || self.at_start) {
                match timeout(self.looks[look], connected.recv()).await {
                    Ok(None) => return,
                    // Lost and found again meanwhile: from the beginning.
                    Ok(Some(_)) => (again, look) = (true, 0),
                    Err(_) => {
                        match self.fill(&ledger, &trust, &to).await {
                            Ok(0) => {}
                            Ok(filled) => notices.tell(Notice::Gap { filled }),
                            Err(error) => notices.tell(Notice::GapOpen { reason: error.to_string() }),
                        }
                        look += 1;
                    }
                }
            }
        }
    }

    async fn fill(&mut self, ledger: &Ledger, trust: &Trust, to: &Sender<Arrival>) -> Result<usize, Error> {
        let floor = self.floor.unwrap_or(i64::MIN);
        let listed = self.log.back_to(|delivery| delivery.id <= floor).await?;
        let mut sent: HashMap<&str, usize> = HashMap::new();
        for delivery in &listed {
            *sent.entry(&delivery.guid).or_default() += 1;
        }
        let mut filled = 0;
        for delivery in &listed {
            let missing = ledger.missing(&delivery.guid, sent[delivery.guid.as_str()]);
            if missing == 0 {
                continue;
            }
            let fetched = self.log.fetch(delivery.id, trust).await?;
            // Asked again: it may have come through the channel while it was fetched.
            if ledger.missing(&delivery.guid, sent[delivery.guid.as_str()]) == 0 {
                continue;
            }
            ledger.fetched(&delivery.guid, missing);
            if fetched.url.as_deref().is_some_and(|url| !same(url, &self.channel)) {
                continue;
            }
            filled += 1;
            let arrival = Delivery {
                incoming: fetched.incoming,
                origin: Origin::Gap,
                attempt: Some(delivery.id),
                verdict: Some(fetched.verdict),
            };
            if to.send(Arrival::Delivery(Box::new(arrival))).await.is_err() {
                break;
            }
        }
        if let Some(newest) = listed.iter().map(|delivery| delivery.id).max() {
            let _ = to.send(Arrival::Mark(newest)).await;
        }
        Ok(filled)
    }
}

/// Whether GitHub sent it to the channel.
fn same(url: &str, channel: &Url) -> bool {
    url.trim_end_matches('/') == channel.as_str().trim_end_matches('/')
}
