//! What the served apps decide and do.
//!
//! An app *decides* what to answer to a delivery, purely, and *does* it later as jobs. Each app
//! keeps its SQL, routes, texts and jobs in its own folder.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::jobs::{Registry, Wake};
use crate::store::Db;
use crate::store::jobs::NewJob;
use crate::util::{Clock, Secret};

pub mod http_api;
pub mod payload;
pub mod recipes;

pub use payload::Delivery;

/// What an app answers to a delivery and what it wants done.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// JSON body of the answer.
    pub body: Value,
    /// Work to queue in the transaction that stores the delivery.
    pub jobs: Vec<NewJob>,
}

/// How an app's webhook endpoint answers before the app is asked.
#[derive(Clone, Debug)]
pub struct HookContract {
    /// Path, with a trailing slash or without: both are served.
    pub path: &'static str,
    /// Status and body when there is no `X-Hub-Signature-256`.
    pub missing_signature: (StatusCode, Value),
    /// Status and body when the signature is wrong.
    pub bad_signature: (StatusCode, Value),
}

/// A GitHub App's behaviour.
pub trait App: Send + Sync {
    /// Short name: its section in the config, its column in the database.
    fn name(&self) -> &'static str;
    /// Its webhook endpoint.
    fn hook(&self) -> HookContract;
    /// What to answer and what to do. Pure: no I/O, no clock, so it is tested by table.
    fn decide(&self, delivery: &Delivery<'_>) -> Decision;
    /// Adds its job types.
    fn register(&self, jobs: &mut Registry);
    /// Its REST API; `server` merges it. Paths are declared without a trailing slash: the server
    /// takes it off before routing, so that both forms answer.
    fn routes(&self) -> OpenApiRouter<State>;
}

/// What the handlers of an app's REST API may use.
#[derive(Clone, Debug)]
pub struct State {
    /// The database.
    pub db: Db,
    /// The admin key (`X-API-Key`); without one, admin routes answer 401.
    pub api_key: Option<Secret>,
    /// The clock.
    pub clock: Clock,
    /// Wakes the workers after a job was queued.
    pub wake: Wake,
    /// Ends answers that last as long as the server does.
    pub shutdown: CancellationToken,
}

/// The apps that a server hosts.
pub type Apps = Arc<Vec<Arc<dyn App>>>;
