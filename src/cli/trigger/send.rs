//! Sends deliveries, and asks what became of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::target::{Signer, Target};
use crate::cli::error::{Error, Kind, Result};
use crate::cli::job::field;
use crate::proxy::{Forwarder, Reply, Unanswered};
use crate::util::id;
use crate::util::text::truncate;

/// Between two looks at jobs that are not done.
const PAUSE: Duration = Duration::from_millis(100);

/// An event with its body, ready to be signed.
#[derive(Clone, Debug)]
pub struct Message {
    /// `event` or `event.action`.
    pub name: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The exact bytes.
    pub body: Bytes,
}

/// A delivery that was answered.
#[derive(Clone, Debug)]
pub struct Sent {
    /// `event` or `event.action`.
    pub name: String,
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// The answer.
    pub reply: Reply,
    /// Its jobs as the server lists them; `None` when it could not be asked.
    pub jobs: Option<Vec<Value>>,
}

/// An answer, or why there is none.
pub type Answered = std::result::Result<Reply, Unanswered>;

/// Sends to one target.
pub struct Sender<'a> {
    /// Where to.
    pub target: &'a Target,
    /// Who signs.
    pub signer: &'a Signer,
    forwarder: Forwarder,
}

impl<'a> Sender<'a> {
    /// A sender.
    ///
    /// # Errors
    /// When HTTP cannot be prepared.
    pub fn new(target: &'a Target, signer: &'a Signer) -> Result<Self> {
        let forwarder = Forwarder::new().map_err(|error| Error::failure("cannot prepare HTTP").caused_by(&error))?;
        Ok(Self { target, signer, forwarder })
    }

    /// Sends `message` once and looks which jobs it became.
    ///
    /// # Errors
    /// When there is no answer; an error status is one.
    pub async fn send(&self, message: &Message, guid: &str) -> Result<Sent> {
        let reply = self.post(message, guid).await.map_err(|error| self.silent(&error))?;
        let jobs = if reply.is_good() { self.jobs(guid).await } else { None };
        Ok(Sent { name: message.name.clone(), guid: guid.to_owned(), reply, jobs })
    }

    /// Sends `message` `count` times, `at_once` of them at the same time.
    pub async fn repeat(&self, message: &Message, count: u32, at_once: u32) -> Vec<Answered> {
        let send = |_| async { self.post(message, &id::guid()).await };
        stream::iter(0..count).map(send).buffer_unordered(at_once as usize).collect().await
    }

    async fn post(&self, message: &Message, guid: &str) -> Answered {
        let delivery = self.signer.sign(&message.event, guid, message.body.clone());
        self.forwarder.post(&self.target.url, &delivery).await
    }

    /// The jobs of a delivery; `None` when the server cannot be asked.
    pub async fn jobs(&self, guid: &str) -> Option<Vec<Value>> {
        let api = self.target.api.as_ref()?;
        let detail = api.get(&format!("/deliveries/{guid}"), &[]).await.ok()?;
        detail["jobs"].as_array().cloned()
    }

    /// The jobs of a delivery when all of them have ended, or when `patience` has.
    pub async fn finished(&self, guid: &str, patience: Duration) -> Option<Vec<Value>> {
        let begun = Instant::now();
        loop {
            let jobs = self.jobs(guid).await?;
            if jobs.iter().all(has_ended) || begun.elapsed() >= patience {
                return Some(jobs);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Nobody answered.
    pub fn silent(&self, error: &Unanswered) -> Error {
        let told = Error::new(Kind::Upstream, format!("no answer from {}", self.target.url)).because(error);
        if matches!(error, Unanswered::Refused) { told.hint("pforge serve") } else { told }
    }
}

/// Whether nothing more will come of a job.
pub fn has_ended(job: &Value) -> bool {
    matches!(field(job, "state"), "done" | "dead")
}

impl Sent {
    /// What the target said, in short: the message of a JSON answer, or its beginning.
    pub fn said(&self) -> String {
        let text = String::from_utf8_lossy(&self.reply.body);
        if self.reply.is_good() && text.trim() == "null" {
            return String::new();
        }
        let json: Option<Value> = serde_json::from_str(&text).ok();
        let said = |key| json.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let said = said("detail").or_else(|| said("message")).or_else(|| said("error"));
        said.unwrap_or_else(|| truncate(text.lines().next().unwrap_or_default().trim(), 120))
    }

    /// The error of an answer that is none of success.
    pub fn refused(&self) -> Error {
        let status = self.reply.status;
        let told = Error::failure(format!("{} was answered {status}", self.name));
        let said = self.said();
        let told = if said.is_empty() { told } else { told.because(said) };
        match status {
            401 | 403 => told.because("the target may have another webhook secret").hint("pforge config show"),
            404 | 405 => told.because("the target may have its webhook elsewhere").hint("pforge trigger … --to URL"),
            _ => told,
        }
    }

    /// The one JSON object that tells of it.
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.reply.body);
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref()));
        let jobs = self.jobs.as_ref().map(|jobs| {
            let keys = ["id", "kind", "key", "state", "outcome", "last_error"];
            let job = |job: &Value| keys.into_iter().map(|key| (key.to_owned(), job[key].clone())).collect::<Value>();
            jobs.iter().map(job).collect::<Vec<Value>>()
        });
        let took = u64::try_from(self.reply.took.as_millis()).unwrap_or(u64::MAX);
        json!({
            "event": self.name,
            "delivery": self.guid,
            "status": self.reply.status,
            "took_ms": took,
            "answer": answer,
            "jobs": jobs,
        })
    }
}
