//! A session: one source, one target, and what lies between.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::filter::Filter;
use super::forward::{Forwarder, Unanswered};
use super::gap::Gap;
use super::incoming::Incoming;
use super::ledger::Ledger;
use super::log::Log;
use super::ngrok::Watch;
use super::notice::{Notice, Notices, Origin, Seen};
use super::poll::Poll;
use super::smee::{Refused, Smee};
use super::target::{Job, Target};
use super::verify::{Trust, Verdict};
use crate::util::retry::Backoff;

/// Bodies that wait for the target, in KiB. When it is full, the source is not read.
const ROOM_KIB: u32 = 64 << 10;
/// Deliveries that wait for the target.
const QUEUE: usize = 1000;

/// Waits between attempts while the target is away.
pub const TARGET_BACKOFF: Backoff =
    Backoff { base: Duration::from_millis(250), factor: 2, cap: Duration::from_secs(5), jitter: 0.2 };

/// What a source brings, in order.
#[derive(Debug)]
pub enum Arrival {
    /// A delivery.
    Delivery(Box<Delivery>),
    /// Everything in GitHub's log up to this attempt came before.
    Mark(i64),
}

/// A delivery on its way in.
#[derive(Debug)]
pub struct Delivery {
    /// What came.
    pub incoming: Incoming,
    /// How it came.
    pub origin: Origin,
    /// GitHub's id of the attempt, where it is known.
    pub attempt: Option<i64>,
    /// What the source knows of its signature; `None` leaves the judgement to the session.
    pub verdict: Option<Verdict>,
}

/// Where deliveries come from.
#[derive(Debug)]
pub enum Source {
    /// A channel, and what fills its gaps.
    Smee(Box<Smee>, Option<Box<Gap>>),
    /// GitHub's log.
    Poll(Poll),
    /// Nowhere: ngrok brings them to the target itself, and we watch.
    Watch(Watch),
}

impl Source {
    /// A channel, and what fills its gaps.
    pub fn smee(smee: Smee, gap: Option<Gap>) -> Self {
        Self::Smee(Box::new(smee), gap.map(Box::new))
    }
}

/// A session that has not begun.
#[derive(Debug)]
pub struct Session {
    /// Where deliveries go.
    pub target: Url,
    /// Headers that every delivery gets, in lower case.
    pub headers: Vec<(String, String)>,
    /// Which events go on.
    pub filter: Filter,
    /// Whose signature is believed.
    pub trust: Trust,
    /// GitHub's log, to ask for the true bytes of what a relay has changed.
    pub log: Option<Log>,
    /// Waits while the target is away.
    pub backoff: Backoff,
}

/// Why a session ended by itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Ended {
    /// The channel's server refuses.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// There is no client to forward with.
    #[error("no HTTP client: {0}")]
    Client(#[from] Unanswered),
}

impl Session {
    /// Runs until `stop`, or until the source is of no use. What waits then is told as failed.
    ///
    /// # Errors
    /// See [`Ended`].
    pub async fn run(self, source: Source, notices: Notices, stop: CancellationToken) -> Result<(), Ended> {
        let stop = stop.child_token();
        let target = Target {
            forwarder: Forwarder::new()?,
            url: self.target.clone(),
            backoff: self.backoff,
            notices: notices.clone(),
            stop: stop.clone(),
        };
        let (to, arrivals) = channel(16);
        let (waiting, queue) = channel(QUEUE);
        let ledger = Arc::new(Ledger::default());
        let bringing = async {
            let brought = stop.run_until_cancelled(bring(source, &self.trust, &ledger, to, &notices)).await;
            stop.cancel();
            brought.unwrap_or(Ok(()))
        };
        let (brought, (), ()) =
            tokio::join!(bringing, self.take_in(arrivals, waiting, &ledger, &notices), target.run(queue));
        brought
    }

    /// Judges arrivals and lets them wait for the target.
    async fn take_in(&self, mut from: Receiver<Arrival>, to: Sender<Job>, ledger: &Ledger, notices: &Notices) {
        let room = Arc::new(Semaphore::new(ROOM_KIB as usize));
        let mut number = 0;
        while let Some(arrival) = from.recv().await {
            let job = match arrival {
                Arrival::Mark(id) => Some(Job::Mark(id)),
                Arrival::Delivery(delivery) => {
                    let passed = delivery.attempt.map(Job::Mark);
                    match self.judge(*delivery, ledger, &mut number, notices).await {
                        Some((seen, incoming)) => {
                            let room = take_room(&room, incoming.body.len()).await;
                            room.map(|room| Job::Forward(Box::new((seen, incoming, room))))
                        }
                        None => passed,
                    }
                }
            };
            if let Some(job) = job
                && to.send(job).await.is_err()
            {
                return;
            }
        }
    }

    /// What goes on of an arrival; nothing of a copy, of one that nobody asked for, and of one that
    /// is not genuine.
    async fn judge(
        &self,
        delivery: Delivery,
        ledger: &Ledger,
        number: &mut u64,
        notices: &Notices,
    ) -> Option<(Seen, Incoming)> {
        let Delivery { mut incoming, origin, attempt, verdict } = delivery;
        if origin == Origin::Live && !ledger.came(incoming.guid().unwrap_or_default()) {
            return None;
        }
        let mut verdict = verdict.unwrap_or_else(|| self.trust.judge(&mut incoming));
        if verdict == Verdict::Wrong
            && let Some(true_one) = self.true_copy(&incoming).await
        {
            (incoming, verdict) = (true_one, Verdict::Refetched);
        }
        let mut seen = Seen::of(&incoming, 0, origin, attempt, verdict);
        if !self.filter.takes(&seen.event, seen.action.as_deref()) {
            return None;
        }
        *number += 1;
        seen.number = *number;
        notices.tell(Notice::Received(seen.clone()));
        if !verdict.forwards() {
            return None;
        }
        for (name, value) in &self.headers {
            incoming.set_header(name, value.as_str());
        }
        Some((seen, incoming))
    }

    /// GitHub's own copy of what a relay has changed; nothing when GitHub does not know it: then it
    /// is forged.
    async fn true_copy(&self, incoming: &Incoming) -> Option<Incoming> {
        let (log, guid) = (self.log.as_ref()?, incoming.guid()?);
        let fetched = log.by_guid(guid, &self.trust).await.ok()??;
        fetched.verdict.forwards().then_some(fetched.incoming)
    }
}

async fn bring(
    source: Source,
    trust: &Trust,
    ledger: &Arc<Ledger>,
    to: Sender<Arrival>,
    notices: &Notices,
) -> Result<(), Ended> {
    match source {
        Source::Smee(smee, gap) => {
            let (tell, connected) = unbounded_channel();
            let listening = smee.listen(&to, notices, &tell);
            match gap {
                None => match listening.await? {},
                Some(gap) => {
                    let filling = gap.watch(connected, Arc::clone(ledger), trust.clone(), to.clone(), notices.clone());
                    tokio::select! {
                        refused = listening => match refused? {},
                        () = filling => Ok(()),
                    }
                }
            }
        }
        Source::Poll(poll) => match poll.run(trust, &to, notices).await {},
        Source::Watch(watch) => match watch.run(trust, notices).await {},
    }
}

async fn take_room(room: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(ROOM_KIB).min(ROOM_KIB);
    Arc::clone(room).acquire_many_owned(kib).await.ok()
}
