//! A listener on a channel of any server that speaks smee: smee.io, its npm server, gosmee, and
//! `pforge relay`.

use std::convert::Infallible;
use std::time::Duration;

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::sync::mpsc::{Sender, UnboundedSender};
use tokio::time::{sleep, timeout};
use url::Url;

use super::envelope::Identity;
use super::forward::chain;
use super::notice::{Notice, Notices, Origin};
use super::session::{Arrival, Delivery};
use crate::util::host;
use crate::util::retry::Backoff;
use crate::util::sse::{Decoder, Event};

pub mod channel;
pub mod message;

/// The server that everybody may use.
pub const PUBLIC: &str = "https://smee.io";

/// The largest event, in bytes: GitHub's largest payload (25 MB) twice, once as base64.
const MAX_EVENT: usize = 64 << 20;

/// How patient a listener is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Without any byte for so long, the connection counts as dead. Servers ping every 30 s.
    pub silence: Duration,
    /// How long a server may take to answer.
    pub answer: Duration,
    /// A server that does not greet counts as connected after this time.
    pub greeting: Duration,
    /// Waits between attempts to connect.
    pub backoff: Backoff,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(45),
            answer: Duration::from_secs(15),
            greeting: Duration::from_secs(2),
            backoff: Backoff { base: Duration::from_secs(1), factor: 2, cap: Duration::from_secs(30), jitter: 0.3 },
        }
    }
}

/// The server will not let us listen, today or tomorrow.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// It says so.
    #[error("{channel} answered {status}")]
    Status {
        /// The channel.
        channel: Url,
        /// The status.
        status: StatusCode,
    },
    /// It is no server of channels.
    #[error("{channel} is no channel: it answered with {content_type} where an event stream was expected")]
    NoStream {
        /// The channel.
        channel: Url,
        /// What came instead.
        content_type: String,
    },
    /// Its events are encrypted, and not to us.
    #[error("{channel} is encrypted to {recipient}")]
    Sealed {
        /// The channel.
        channel: Url,
        /// The public key of who can read it.
        recipient: String,
    },
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// A listener.
#[derive(Debug)]
pub struct Smee {
    channel: Url,
    timing: Timing,
    identity: Option<Identity>,
    last_id: Option<String>,
    retry: Option<Duration>,
    connected_once: bool,
}

/// How a connection ended.
enum End {
    /// For good.
    Refused(Refused),
    /// Like connections do.
    Lost { reason: String, asked: Option<Duration>, lived: bool },
    /// Nobody takes arrivals any more.
    Unwanted,
}

impl End {
    fn lost(reason: impl Into<String>, lived: bool) -> Self {
        Self::Lost { reason: reason.into(), asked: None, lived }
    }
}

impl Smee {
    /// A listener on `channel`; connects when it listens.
    pub fn new(channel: Url, timing: Timing) -> Self {
        Self { channel, timing, identity: None, last_id: None, retry: None, connected_once: false }
    }

    /// Lets the relay encrypt what it keeps, and opens it with `identity`.
    #[must_use]
    pub fn sealed_to(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Its channel.
    pub fn channel(&self) -> &Url {
        &self.channel
    }

    /// Listens for ever; `connected` hears of every connection, and whether there was one before.
    ///
    /// # Errors
    /// When the server refuses the first connection in a way that waiting does not mend.
    pub async fn listen(
        mut self,
        to: &Sender<Arrival>,
        notices: &Notices,
        connected: &UnboundedSender<bool>,
    ) -> Result<Infallible, Refused> {
        let mut attempt = 0;
        loop {
            let (reason, asked) = match self.follow(to, notices, connected).await {
                End::Refused(refused) if !self.connected_once => return Err(refused),
                End::Refused(refused) => (refused.to_string(), None),
                End::Lost { reason, asked, lived } => {
                    attempt = if lived { 0 } else { attempt };
                    (reason, asked)
                }
                End::Unwanted => std::future::pending().await,
            };
            attempt += 1;
            let base = self.retry.unwrap_or(self.timing.backoff.base).min(self.timing.backoff.cap);
            let wait = Backoff { base, ..self.timing.backoff }.delay(attempt, asked, fastrand::f64());
            notices.tell(Notice::Reconnecting { reason, wait });
            sleep(wait).await;
        }
    }

    /// One connection, to its end.
    async fn follow(&mut self, to: &Sender<Arrival>, notices: &Notices, connected: &UnboundedSender<bool>) -> End {
        let http = match http_client_for(&self.channel, self.timing.answer, Policy::default()) {
            Ok(http) => http,
            Err(reason) => return End::Refused(Refused::Client(reason)),
        };
        // Our own relay gives the exact bytes to those who ask; others do not look at it.
        let mut address = self.channel.clone();
        address.query_pairs_mut().append_pair("bodyB", "1");
        if let Some(identity) = &self.identity {
            address.query_pairs_mut().append_pair("recipient", &identity.recipient().to_string());
        }
        let mut request = http.get(address).header(ACCEPT, "text/event-stream").header(CACHE_CONTROL, "no-cache");
        if let Some(id) = &self.last_id {
            request = request.header("last-event-id", id);
        }
        let mut answer = match timeout(self.timing.answer, request.send()).await {
            Err(_) => return End::lost(format!("no answer within {}", seconds(self.timing.answer)), false),
            Ok(Err(error)) => return End::lost(chain(&error), false),
            Ok(Ok(answer)) => answer,
        };
        if let Some(end) = self.unfit(answer.status(), answer.headers()) {
            return end;
        }
        let mut decoder = Decoder::new(MAX_EVENT);
        let mut greeted = false;
        loop {
            let patience = if greeted { self.timing.silence } else { self.timing.greeting };
            let bytes = match timeout(patience, answer.chunk()).await {
                Err(_) if !greeted => None,
                Err(_) => return End::lost(format!("silence for {}", seconds(self.timing.silence)), true),
                Ok(Err(error)) => return End::lost(chain(&error), greeted),
                Ok(Ok(None)) => return End::lost("the server closed the connection", greeted),
                Ok(Ok(Some(bytes))) => Some(bytes),
            };
            let mut events = Vec::new();
            let read = decoder.feed(bytes.as_deref().unwrap_or_default(), |event| events.push(event));
            if let Some(refused) = events.iter().find_map(|event| self.sealed_to_another(event)) {
                return End::Refused(refused);
            }
            if !std::mem::replace(&mut greeted, true) {
                notices.tell(Notice::Connected { again: self.connected_once });
                let _ = connected.send(self.connected_once);
                self.connected_once = true;
            }
            for event in &events {
                let Some(arrival) = arrival(event, self.identity.as_ref()) else { continue };
                // A target that lags holds the reading up: nothing piles up here.
                if to.send(arrival).await.is_err() {
                    return End::Unwanted;
                }
            }
            self.last_id = decoder.last_id().map(str::to_owned).or_else(|| self.last_id.take());
            self.retry = decoder.retry().or(self.retry);
            if let Err(too_large) = read {
                return End::lost(too_large.to_string(), true);
            }
        }
    }

    /// A relay says in its greeting who can read an encrypted channel.
    fn sealed_to_another(&self, event: &Event) -> Option<Refused> {
        let greeting: Value = serde_json::from_str(&event.data).ok().filter(|_| event.name == "ready")?;
        let recipient = greeting["recipient"].as_str()?;
        let ours = self.identity.as_ref().is_some_and(|identity| identity.recipient().to_string() == recipient);
        (!ours).then(|| Refused::Sealed { channel: self.channel.clone(), recipient: recipient.to_owned() })
    }

    /// Why an answer is no stream of events.
    fn unfit(&self, status: StatusCode, headers: &HeaderMap) -> Option<End> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if status == StatusCode::OK {
            let content_type = text(CONTENT_TYPE).unwrap_or("nothing");
            let is_stream = content_type.starts_with("text/event-stream");
            let refused = || Refused::NoStream { channel: self.channel.clone(), content_type: content_type.to_owned() };
            return (!is_stream).then(|| End::Refused(refused()));
        }
        let passing = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        if !passing {
            return Some(End::Refused(Refused::Status { channel: self.channel.clone(), status }));
        }
        let asked = text(RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
        let asked = asked.map(|wait| wait.min(Duration::from_secs(300)));
        Some(End::Lost { reason: format!("the server answered {status}"), asked, lived: false })
    }
}

/// What an event brings; nothing for greetings and pings.
fn arrival(event: &Event, identity: Option<&Identity>) -> Option<Arrival> {
    // What is no delivery is a word of the server to its own client.
    let incoming = match (event.name.as_str(), identity) {
        ("message", _) => message::read(&event.data).ok()?,
        ("sealed", Some(identity)) => message::open(&event.data, identity)?,
        _ => return None,
    };
    Some(Arrival::Delivery(Box::new(Delivery { incoming, origin: Origin::Live, attempt: None, verdict: None })))
}

/// A client for `url`. The proxies of the environment are for what is not on this machine.
fn http_client_for(url: &Url, connect: Duration, redirects: Policy) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .connect_timeout(connect)
        .redirect(redirects)
        .tcp_keepalive(Duration::from_secs(15))
        // A compressed stream may wait for more before it shows anything.
        .no_gzip()
        .user_agent(concat!("pforge/", env!("CARGO_PKG_VERSION")));
    let builder = if host::is_own(url) { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| chain(&error))
}

fn seconds(duration: Duration) -> String {
    crate::util::text::duration(duration)
}
