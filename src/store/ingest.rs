//! The write side of a delivery: group commit.
//!
//! One task collects the deliveries that arrive while the previous transaction is being synced
//! and writes them all, with their jobs, in the next one. A caller's future completes only after
//! its transaction is durable: nobody is answered before that.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::batch;
use super::content::{Content, Packer};
use super::db::Db;
use super::error::{Error, is_collision};
use super::jobs::NewJob;

/// Deliveries in one transaction at most.
const BATCH: usize = 64;
/// Deliveries that may wait for the writer; more are refused.
const QUEUE: usize = 1024;
/// A body from this size on is packed on a thread of its own, not between other requests.
const LARGE: usize = 256 * 1024;
/// Characters that are kept of an event, action or repository.
const LONGEST: usize = 200;
/// How often a batch is tried that collided with another process's transaction.
const TRIES: usize = 3;

/// A verified delivery with what the app decided about it.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// Which app's hook received it.
    pub app: &'static str,
    /// `X-GitHub-Hook-ID`, or the empty string.
    pub hook_id: String,
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The payload's `repository.full_name`.
    pub repo: Option<String>,
    /// The payload's `installation.id`.
    pub installation_id: Option<i64>,
    /// When the last byte arrived.
    pub received_at: DateTime<Utc>,
    /// Request headers, names in lower case, signatures left out: one JSON object.
    pub headers: Value,
    /// `Content-Type` of the request.
    pub content_type: String,
    /// The exact bytes received.
    pub body: Bytes,
    /// HTTP status of the answer.
    pub answer_status: u16,
    /// Body of the answer.
    pub answer: Value,
    /// Work to queue in the same transaction.
    pub jobs: Vec<NewJob>,
}

/// What the store made of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Seen for the first time.
    New {
        /// Row id.
        delivery: i64,
        /// How many jobs were queued.
        jobs: u32,
    },
    /// The same (app, hook id, GUID) was here before: stored as a further attempt.
    Repeat {
        /// Row id of the delivery.
        delivery: i64,
        /// Number of this attempt, from 2.
        attempt: u32,
        /// Whether the work was queued again: its jobs were dead, or the first was refused.
        requeued: bool,
    },
}

impl Recorded {
    fn queued_work(&self) -> bool {
        matches!(self, Self::New { jobs: 1.., .. } | Self::Repeat { requeued: true, .. })
    }
}

/// A delivery on its way to the writer; its body is in `content`.
pub(super) struct Packed {
    pub(super) delivery: NewDelivery,
    pub(super) content: Content,
}

struct Waiting {
    packed: Packed,
    answer: oneshot::Sender<Result<Recorded, Error>>,
}

/// The batching writer. Cheap to clone; all clones feed one task.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Waiting>,
    packer: Arc<Packer>,
}

impl Writer {
    /// Starts the writing task. It ends after `shutdown` once everything accepted is written.
    /// `committed` is called after each transaction that queued jobs (to wake the runner).
    pub fn start(
        db: Db,
        shutdown: CancellationToken,
        committed: impl Fn() + Send + Sync + 'static,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write_until(db, waiting, shutdown, committed));
        (Self { queue, packer: Arc::default() }, task)
    }

    /// Writes one delivery; completes when it is durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database cannot be reached or the queue is full: the sender
    /// must be told that nothing was stored. (After a connection that broke during the commit it
    /// may be stored nevertheless; then the redelivery is a [`Recorded::Repeat`].)
    pub async fn record(&self, delivery: NewDelivery) -> Result<Recorded, Error> {
        let packed = if delivery.body.len() < LARGE {
            pack(&self.packer, delivery)
        } else {
            let packer = self.packer.clone();
            let packing = tokio::task::spawn_blocking(move || pack(&packer, delivery));
            packing.await.map_err(|e| Error::Other(format!("packing a delivery failed: {e}")))?
        }?;
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { packed, answer }).map_err(|e| {
            Error::Unavailable(match e {
                mpsc::error::TrySendError::Full(_) => "too many deliveries are waiting to be written".into(),
                mpsc::error::TrySendError::Closed(_) => "the writer has stopped".into(),
            })
        })?;
        answered.await.unwrap_or_else(|_| Err(Error::Unavailable("the writer has stopped".into())))
    }
}

/// What a column that only serves the list keeps of a text that someone else chose: PostgreSQL
/// stores no NUL and indexes no long value. The whole text is in the body or the headers.
fn listed(text: &str) -> String {
    text.chars().take(LONGEST).map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Runs in the caller's task: packing uses every core, the writer only one.
fn pack(packer: &Packer, mut delivery: NewDelivery) -> Result<Packed, Error> {
    if let Some(headers) = delivery.headers.as_object_mut() {
        // The one header that reading the payload needs.
        headers.entry("content-type").or_insert_with(|| Value::String(delivery.content_type.clone()));
    }
    delivery.event = listed(&delivery.event);
    delivery.action = delivery.action.as_deref().map(listed);
    delivery.repo = delivery.repo.as_deref().map(listed);
    let content = packer.pack(&delivery.headers, &delivery.answer, &delivery.body)?;
    delivery.body = Bytes::new();
    Ok(Packed { delivery, content })
}

async fn write_until(
    db: Db,
    mut waiting: mpsc::Receiver<Waiting>,
    shutdown: CancellationToken,
    committed: impl Fn() + Send + Sync,
) {
    let statements = batch::Statements::new(db.dialect(), BATCH);
    let mut taken = Vec::with_capacity(BATCH);
    loop {
        let count = tokio::select! {
            count = waiting.recv_many(&mut taken, BATCH) => count,
            // No more are accepted; the loop then takes what is left until there is none.
            () = shutdown.cancelled(), if !waiting.is_closed() => {
                waiting.close();
                continue;
            }
        };
        if count == 0 {
            return;
        }
        let (deliveries, answers): (Vec<_>, Vec<_>) = taken.drain(..).map(|w| (w.packed, w.answer)).unzip();
        let results = write_all(&db, &statements, &deliveries).await;
        if results.iter().flatten().any(Recorded::queued_work) {
            committed();
        }
        for (answer, result) in answers.into_iter().zip(results) {
            // A caller that went away does not wait for its answer.
            let _ = answer.send(result);
        }
    }
}

/// Writes a batch; the results stand in the order of the deliveries.
async fn write_all(db: &Db, statements: &batch::Statements, deliveries: &[Packed]) -> Vec<Result<Recorded, Error>> {
    match write(db, statements, deliveries).await {
        Ok(recorded) => recorded.into_iter().map(Ok).collect(),
        Err(Error::Unavailable(why)) => {
            tracing::warn!(deliveries = deliveries.len(), why, "deliveries could not be stored");
            deliveries.iter().map(|_| Err(Error::Unavailable(why.clone()))).collect()
        }
        Err(error) if deliveries.len() == 1 => {
            tracing::error!(guid = deliveries[0].delivery.guid, %error, "the database refuses a delivery");
            vec![Err(error)]
        }
        // One of them cannot be stored: that must not be the others' loss.
        Err(_) => {
            let mut results = Vec::with_capacity(deliveries.len());
            for one in deliveries.chunks(1) {
                results.extend(Box::pin(write_all(db, statements, one)).await);
            }
            results
        }
    }
}

async fn write(db: &Db, statements: &batch::Statements, deliveries: &[Packed]) -> Result<Vec<Recorded>, Error> {
    let mut tries = 1;
    loop {
        match batch::write(db, statements, deliveries).await {
            Err(error) if is_collision(&error) && tries < TRIES => tries += 1,
            result => return result.map_err(Error::from),
        }
    }
}
