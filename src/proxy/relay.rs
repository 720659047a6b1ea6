//! A channel server of one's own: GitHub posts to a URL, and a laptop listens to the same URL.
//!
//! It speaks the wire of smee (<https://github.com/probot/smee.io>), so that a smee-client can
//! listen, and adds to it what is missing there: the exact bytes, events that are kept on disk
//! and resumed by `Last-Event-ID`, encryption to the listener, and bounds of everything.

mod body;
mod channel;
mod event;
mod hub;
mod log;
mod name;
mod page;
mod rate;
mod record;
mod reply;
mod routes;
mod stream;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use url::Url;

pub use self::log::Keep;
pub use self::rate::Rate;

use self::hub::Hub;
use self::routes::Relay;
use crate::util::Clock;
use crate::util::listen::{self, Bounds};

/// How often old events are dropped and expired channels deleted.
const SWEEP: Duration = Duration::from_secs(60);

/// How long requests may finish after the end was asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// How a relay runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder for what is kept; made when it is not there, for one relay at a time.
    pub data: PathBuf,
    /// How the relay is reached from outside; else what the `Host` and `X-Forwarded-*` headers
    /// of a request say.
    pub public_url: Option<Url>,
    /// How much of each channel is kept.
    pub keep: Keep,
    /// What nobody may exceed.
    pub limits: Limits,
    /// How often a listener hears that the connection lives.
    pub ping: Duration,
    /// The clock.
    pub clock: Clock,
}

/// What nobody may exceed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a body; GitHub sends no more than 25 MB.
    pub body: usize,
    /// Bytes of all bodies that are being received.
    pub bodies: usize,
    /// Bytes on disk, of all channels together.
    pub disk: u64,
    /// Channels.
    pub channels: usize,
    /// Listeners of a channel.
    pub listeners: usize,
    /// Posts to a channel.
    pub rate: Rate,
    /// A channel that nobody uses for this long is deleted.
    pub idle: Duration,
    /// Connections.
    pub connections: usize,
    /// The time for the headers of a request, for its body, and for a listener to take something.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 25 << 20,
            bodies: 256 << 20,
            disk: 10 << 30,
            channels: 1000,
            listeners: 100,
            rate: Rate { per_second: 100.0, burst: 2000.0 },
            idle: Duration::from_secs(30 * 86_400),
            connections: 4096,
            patience: Duration::from_secs(30),
        }
    }
}

/// An event that was stored, for whoever watches the relay. No part of the payload is in it, and
/// only the beginning of the channel's name, which is a capability.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Posted {
    /// The beginning of the channel's name.
    pub channel: String,
    /// The event's id.
    pub id: u64,
    /// `event.action`, as far as known.
    pub event: String,
    /// `owner/name`; empty when unknown or encrypted.
    pub repo: String,
    /// `X-GitHub-Delivery`; empty when unknown.
    pub guid: String,
    /// Bytes of the body.
    pub bytes: usize,
    /// How many listen to the channel.
    pub listeners: usize,
    /// Whether it is stored for its listener only.
    pub encrypted: bool,
    /// Whether it was asked to be sent once more.
    pub again: bool,
}

/// A relay that has its data folder and does not listen yet.
#[derive(Debug)]
pub struct Server(Arc<Hub>);

impl Server {
    /// Takes possession of the data folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another relay has it, else any I/O error.
    pub async fn open(options: Options) -> io::Result<Self> {
        let opening = tokio::task::spawn_blocking(move || Hub::open(options)).await;
        Ok(Self(Arc::new(opening.map_err(io::Error::other)??)))
    }

    /// Serves on `listener` until `shutdown`. What happens is told to `told`; who does not keep up
    /// misses some of it.
    pub async fn run(self, listener: TcpListener, told: mpsc::Sender<Posted>, shutdown: CancellationToken) {
        let Self(hub) = self;
        let router = routes::router(Arc::new(Relay::new(Arc::clone(&hub), told, shutdown.clone())));
        let limits = hub.options().limits;
        let sweeping = tokio::spawn(sweep(hub, shutdown.clone()));
        let bounds =
            Bounds { connections: limits.connections, head: limits.patience, stall: limits.patience, drain: DRAIN };
        let answer = move |request: Request<Incoming>| {
            let answered = router.clone().oneshot(request.map(Body::new));
            async move { answered.await.into_response() }
        };
        listen::serve(listener, answer, bounds, &shutdown).await;
        sweeping.abort();
    }
}

async fn sweep(hub: Arc<Hub>, shutdown: CancellationToken) {
    let pause = SWEEP.min(hub.options().limits.idle).max(Duration::from_millis(100));
    while !shutdown.is_cancelled() {
        Arc::clone(&hub).sweep().await;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
