//! What every request handler of the server may use.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRef;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Config;
use super::Limits;
use super::events::Events;
use super::ingest::Hook;
use super::metrics::Metrics;
use super::openapi;
use super::routes::Cors;
use crate::apps;
use crate::github::signature::Key;
use crate::jobs::Wake;
use crate::store::ingest::Writer;

/// What every request handler of the server may use: made once, shared by reference.
pub struct Shared {
    /// What the apps' REST handlers get.
    pub(super) api: apps::State,
    /// The apps.
    pub(super) apps: Vec<Arc<dyn apps::App>>,
    /// Their webhook endpoints.
    pub(super) hooks: Vec<Arc<Hook>>,
    /// The accepted webhook secrets.
    pub(super) keys: Vec<Key>,
    /// Where deliveries go.
    pub(super) writer: Writer,
    /// Tells the runner of work.
    pub(super) wake: Wake,
    /// Counters.
    pub(super) metrics: Metrics,
    /// What `/events` tells.
    pub(super) events: Events,
    /// The OpenAPI document, as JSON.
    pub(super) openapi: Bytes,
    /// One permit for each request that is worked on.
    pub(super) permits: Semaphore,
    /// Bounds.
    pub(super) limits: Limits,
    /// Redirect plain HTTP.
    pub(super) https_only: bool,
    /// Whose pages may read answers.
    pub(super) cors: Cors,
    /// Whether jobs are worked on here.
    pub(super) works: bool,
    /// Ends the streams.
    pub(super) shutdown: CancellationToken,
}

impl Shared {
    /// Prepares what `config` asks for. Nothing runs yet: `writer` and `wake` are the running parts'.
    pub fn new(config: Config, writer: Writer, wake: Wake, shutdown: CancellationToken) -> Arc<Self> {
        let Config { db, apps, webhook_secrets, api_key, workers, https_only, cors, limits, clock, reconcile: _ } =
            config;
        let openapi = Bytes::from(openapi::document(&apps).to_string());
        Arc::new(Self {
            hooks: apps.iter().map(|app| Arc::new(Hook::new(Arc::clone(app)))).collect(),
            apps,
            keys: webhook_secrets.iter().map(|secret| Key::new(secret.expose().as_bytes())).collect(),
            metrics: Metrics::new(clock.now()),
            api: apps::State { db, api_key, clock, wake: wake.clone(), shutdown: shutdown.clone() },
            writer,
            wake,
            events: Events::default(),
            openapi,
            permits: Semaphore::new(limits.concurrency),
            limits,
            https_only,
            cors,
            works: workers > 0,
            shutdown,
        })
    }
}

impl FromRef<Arc<Shared>> for apps::State {
    fn from_ref(shared: &Arc<Shared>) -> Self {
        shared.api.clone()
    }
}
