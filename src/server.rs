//! The HTTP server: ingest, REST API, docs, health, metrics, events.
//!
//! | module | is |
//! |---|---|
//! | [`site`] | what happens to every request; webhooks turn off here |
//! | [`ingest`] | the webhook endpoints |
//! | [`reconcile`] | what GitHub could not deliver |
//! | [`routes`] | which handler serves which path |
//! | [`shared`] | what handlers may use |

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::apps::App;
use crate::jobs::runner::JobEvent;
use crate::jobs::{Registry, Runner, Wake};
use crate::store::Db;
use crate::store::ingest::Writer;
use crate::util::listen::{self, Bounds};
use crate::util::{Clock, Secret};

mod cursor;
mod deliveries;
mod docs;
mod events;
mod health;
mod ingest;
mod jobs;
mod metrics;
mod openapi;
mod reconcile;
mod reply;
mod revalidate;
mod routes;
mod shared;
mod site;

pub use reconcile::{Reconcile, Reconciled};
pub use routes::Cors;
pub use shared::Shared;
pub use site::Site;

/// What a server needs. Everything is typed and ready: the server reads no environment.
pub struct Config {
    /// The database, migrated.
    pub db: Db,
    /// The apps to host.
    pub apps: Vec<Arc<dyn App>>,
    /// Webhook secrets that are accepted, the current one first (several while one is rotated).
    pub webhook_secrets: Vec<Secret>,
    /// The admin key.
    pub api_key: Option<Secret>,
    /// Jobs at a time; 0 serves without working.
    pub workers: usize,
    /// Answer plain-HTTP requests (by `X-Forwarded-Proto`) with a redirect to HTTPS.
    pub https_only: bool,
    /// The pages of other sites that may read answers.
    pub cors: Cors,
    /// Bounds.
    pub limits: Limits,
    /// The clock.
    pub clock: Clock,
    /// How what GitHub could not deliver is fetched; `None` leaves it.
    pub reconcile: Option<Reconcile>,
}

/// Bounds on what a client may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest accepted body in bytes. GitHub's cap is 25 MB.
    pub body_bytes: usize,
    /// Time for the request headers to arrive; also how long a connection may be idle.
    pub header_timeout: Duration,
    /// Time for the body to arrive; also how long a client may take nothing of an answer.
    pub body_timeout: Duration,
    /// Requests at a time; more are answered 503 at once.
    pub concurrency: usize,
    /// Connections at a time; more wait to be accepted. Below the usual 1024 open files.
    pub connections: usize,
    /// How long a shutdown waits for requests and jobs.
    pub drain: Duration,
    /// Lease of a job.
    pub lease: Duration,
    /// No job waits longer for its next attempt.
    pub retry_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 25 * 1024 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            concurrency: 512,
            connections: 900,
            drain: Duration::from_secs(20),
            lease: Duration::from_secs(30),
            retry_within: Duration::MAX,
        }
    }
}

/// How often the runner looks for work without being woken.
const POLL: Duration = Duration::from_secs(5);

/// The whole site as a service, for `config`'s server and for tests without a listener.
pub fn router(shared: Arc<Shared>) -> Site {
    let routes = routes::all(&shared);
    Site::new(shared, routes)
}

/// The OpenAPI 3.1 document of a server with these `apps`. Nothing is started or connected.
pub fn openapi(apps: &[Arc<dyn App>]) -> serde_json::Value {
    openapi::document(apps)
}

/// Serves on `listener` until `shutdown`, then drains: no new connections, requests finish, what
/// they accepted is written, running jobs finish. Requests may take half of [`Limits::drain`],
/// jobs the other half.
///
/// # Errors
/// When a part of the server ends that must not: the deliveries' writer or the workers.
pub async fn run(mut config: Config, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
    let reconcile = config.reconcile.take();
    let Config { db, workers, limits, clock, .. } = &config;
    let (limits, wake) = (*limits, Wake::default());
    // Each part has its own signal, so that they end one after the other.
    let (stop_http, stop_writer, stop_jobs) =
        (shutdown.child_token(), CancellationToken::new(), CancellationToken::new());
    let (writer, mut writing) = Writer::start(db.clone(), stop_writer.clone(), {
        let wake = wake.clone();
        move || wake.wake()
    });
    let mut registry = Registry::default();
    for app in &config.apps {
        app.register(&mut registry);
    }
    let runner = (*workers > 0).then(|| (db.clone(), registry, *workers, clock.clone(), wake.clone()));
    let shared = Shared::new(config, writer, wake, stop_http.clone());
    let mut working = tokio::spawn({
        let (shared, stop) = (Arc::clone(&shared), stop_jobs.clone());
        async move {
            match runner {
                Some((db, registry, workers, clock, wake)) => {
                    let observer = Arc::new(move |event: JobEvent| {
                        shared.metrics.job(&event);
                        shared.events.tell("job", || event);
                    });
                    let runner = Runner {
                        db,
                        registry,
                        workers,
                        lease: limits.lease,
                        retry_within: limits.retry_within,
                        poll: POLL,
                        clock,
                        wake,
                        observer,
                    };
                    runner.run(stop, limits.drain / 2).await;
                }
                None => stop.cancelled().await,
            }
        }
    });
    let reconciling = reconcile.map(|how| tokio::spawn(reconcile::run(Arc::clone(&shared), how, stop_http.clone())));
    let bounds = Bounds {
        connections: limits.connections,
        head: limits.header_timeout,
        stall: limits.body_timeout,
        drain: limits.drain / 2,
    };
    let site = router(shared);
    let answer = move |request: Request<Incoming>| {
        let site = site.clone();
        async move { site.answer(request.map(Body::new)).await }
    };
    let mut serving = pin!(listen::serve(listener, answer, bounds, &stop_http));
    let failed = tokio::select! {
        () = serving.as_mut() => None,
        _ = &mut writing => Some("the writer of deliveries ended"),
        _ = &mut working => Some("the workers ended"),
    };
    if let Some(what) = failed {
        stop_http.cancel();
        serving.await;
        stop_writer.cancel();
        stop_jobs.cancel();
        return Err(std::io::Error::other(what));
    }
    if let Some(reconciling) = reconciling {
        finish("reconciling", reconciling, limits.drain / 2).await;
    }
    stop_writer.cancel();
    finish("the writer of deliveries", writing, limits.drain / 2).await;
    stop_jobs.cancel();
    finish("the workers", working, limits.drain / 2).await;
    Ok(())
}

/// Waits for a part that was told to end.
async fn finish(what: &str, part: JoinHandle<()>, patience: Duration) {
    match tokio::time::timeout(patience, part).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, what, "a part of the server failed while it ended"),
        Err(_) => tracing::warn!(what, "a part of the server did not end in time"),
    }
}
