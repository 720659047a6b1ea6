//! What is known of a deployment: gathered in one go, judged elsewhere.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::clock::{self, Skew};
use super::files::{self, Files};
use super::tools::{self, Tool};
use crate::cli::api::ServerFlag;
use crate::cli::client;
use crate::cli::config::ConfigFile;
use crate::cli::cx::Cx;
use crate::cli::database::{self, DatabaseFlags};
use crate::cli::error::{Error, Result};
use crate::cli::hook_url;
use crate::cli::state::{Lease, State};
use crate::github::api::apps::{App, HookConfig, HookDelivery, Installation};
use crate::github::{Auth, Call, Client, Target};
use crate::proxy::Unanswered;
use crate::proxy::probe::{Probe, probe};
use crate::store::migrate::{self, MigrationStatus};
use crate::util::host;

/// GitHub shows deliveries for this long; an Enterprise Server for seven days.
pub const WINDOW: TimeDelta = TimeDelta::days(3);

/// Deliveries that are looked at; enough to see what fails.
const DELIVERIES: usize = 1000;

/// How long the server on this machine may take.
const SERVER_PATIENCE: Duration = Duration::from_secs(3);

/// Everything that was looked at. What depends on something that is missing is `None`.
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// The config file.
    pub config: Result<Arc<ConfigFile>>,
    /// What depends on an App that is configured.
    pub app: Option<Result<AppFacts>>,
    /// How far GitHub's clock is ahead.
    pub clock: Option<Result<Option<Skew>>>,
    /// The webhook URL that a run of pforge holds, and whether that run lives.
    pub lease: Option<(Lease, bool)>,
    /// The migrations; `None` when nobody names a database.
    pub schema: Option<Result<Vec<MigrationStatus>>>,
    /// `/readyz` of the server on this machine; `None` when nobody listens there.
    pub server: Option<Result<Value>>,
    /// Files with secrets.
    pub files: Files,
    /// Programs of others.
    pub tools: Vec<Tool>,
}

/// What GitHub says of the App.
pub struct AppFacts {
    /// The App.
    pub app: App,
    /// Its id in the config file.
    pub configured_id: u64,
    /// The key's fingerprint, as the App's settings page shows it.
    pub fingerprint: String,
    /// The address of the App's settings.
    pub web_url: String,
    /// The webhook.
    pub hook: Result<HookConfig>,
    /// Whether the webhook URL answers.
    pub probe: Option<std::result::Result<Probe, Unanswered>>,
    /// The deliveries of [`WINDOW`], newest first.
    pub log: Result<Vec<HookDelivery>>,
    /// Where it is installed.
    pub installations: Result<Vec<Installation>>,
    /// The core rate limit of the first installation.
    pub limit: Option<Result<Limit>>,
}

/// A rate limit.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Limit {
    /// Calls in an hour.
    pub limit: u64,
    /// Calls that are left.
    pub remaining: u64,
}

#[derive(Deserialize)]
struct Limits {
    resources: Resources,
}

#[derive(Deserialize)]
struct Resources {
    core: Limit,
}

/// Gathers everything.
pub async fn gather(cx: &Cx, server: &ServerFlag, database: &DatabaseFlags) -> Facts {
    let config = cx.config();
    let client = config.as_ref().ok().filter(|file| file.github_app.is_some()).map(|file| client::of_app(cx, file));
    let lease = client.as_ref().and_then(|client| {
        let id = config.as_ref().ok()?.github_app.as_ref()?.id;
        let state = State::of_app(cx, client.as_ref().ok()?.api_url(), id).ok()?;
        let lease = state.read().lease?;
        let alive = hook_url::is_alive(&lease);
        Some((lease, alive))
    });
    let app = async {
        let file = config.as_ref().ok()?;
        let id = file.github_app.as_ref()?.id;
        Some(match client.clone()? {
            Ok(client) => app(&client, id, cx.clock.now()).await,
            Err(error) => Err(error),
        })
    };
    let clock = async {
        let client = client.clone()?.ok()?;
        Some(clock::measure(&client, &cx.clock).await.map_err(Error::from))
    };
    let (app, clock, schema, ready) = tokio::join!(app, clock, schema(cx, database), readiness(cx, server));
    Facts {
        now: cx.clock.now(),
        app,
        clock,
        lease,
        schema,
        server: ready,
        files: files::look(cx),
        tools: tools::look(&cx.env),
        config,
    }
}

async fn app(client: &Client, configured_id: u64, now: DateTime<Utc>) -> Result<AppFacts> {
    let app = client.app().await?;
    let hook = client.hook_config().await.map_err(Error::from);
    let address = hook.as_ref().ok().and_then(|hook| hook.url.as_deref()?.parse::<Url>().ok());
    let installations = client.installations().await.map_err(Error::from);
    let first = installations.as_ref().ok().and_then(|all| all.iter().find(|one| one.suspended_at.is_none()));
    let first = first.map(|one| one.id);
    let (probe, log, limit) = tokio::join!(
        async {
            match address.filter(|url| !host::is_own(url) && hook_url::mistakes(url).is_empty()) {
                Some(url) => Some(probe(&url).await),
                None => None,
            }
        },
        log(client, now - WINDOW),
        async {
            match first {
                Some(id) => Some(limit(client, id).await),
                None => None,
            }
        }
    );
    Ok(AppFacts {
        app,
        configured_id,
        fingerprint: client.key_fingerprint()?.to_owned(),
        web_url: crate::github::explain::web_url(client.api_url()),
        hook,
        probe,
        log,
        installations,
        limit,
    })
}

async fn log(client: &Client, since: DateTime<Utc>) -> Result<Vec<HookDelivery>> {
    let mut all: Vec<HookDelivery> = Vec::new();
    let mut page = client.hook_deliveries(None).await?;
    loop {
        let old = page.items.last().is_some_and(|last| last.delivered_at < since);
        all.extend(page.items.into_iter().filter(|delivery| delivery.delivered_at >= since));
        match page.next {
            Some(next) if !old && all.len() < DELIVERIES => page = client.hook_deliveries(Some(&next)).await?,
            _ => return Ok(all),
        }
    }
}

async fn limit(client: &Client, installation: i64) -> Result<Limit> {
    let call = Call::get("/rate_limit", Auth::installation(Target::Id(installation)));
    Ok(client.fetch::<Limits>(&call).await?.resources.core)
}

async fn schema(cx: &Cx, flags: &DatabaseFlags) -> Option<Result<Vec<MigrationStatus>>> {
    if !flags.is_named(cx) {
        return None;
    }
    Some(match flags.resolve(cx) {
        Ok(url) => database::with(&url, async |db| Ok(migrate::status(db).await?)).await,
        Err(error) => Err(error),
    })
}

/// Whether the server on this machine is ready; nobody has to run one.
async fn readiness(cx: &Cx, server: &ServerFlag) -> Option<Result<Value>> {
    let api = server.client(cx).ok()?;
    let asked = tokio::time::timeout(SERVER_PATIENCE, api.get("/readyz", &[])).await;
    match asked {
        // The one error that comes without an answer: nobody listens there.
        Ok(Err(error)) if error.message.starts_with("no answer") => None,
        Ok(answer) => Some(answer),
        Err(_) => Some(Err(Error::failure(format!("no answer within {} s", SERVER_PATIENCE.as_secs())))),
    }
}
