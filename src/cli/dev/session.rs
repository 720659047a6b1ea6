//! The proxy and the server of a deployment, in one terminal with one view.

use std::pin::pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use url::Url;

use super::view::Combined;
use super::watch;
use crate::cli::api::Api;
use crate::cli::config::{ConfigFile, ServerSettings, Sourced};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::events::Events;
use crate::cli::proxy::{self, Plan, Register, Via};
use crate::cli::serve::{self, Opened, Reports};
use crate::proxy::Filter;
use crate::store::DatabaseUrl;

/// How to run it.
pub struct Wishes {
    /// The transport.
    pub via: Via,
    /// Its channel or server.
    pub url: Option<Url>,
    /// Whether the webhook URL may be changed.
    pub register: Register,
    /// Where deliveries are kept.
    pub database: DatabaseUrl,
    /// Address, workers, drain.
    pub server: ServerSettings,
    /// Whether it ends when the config file changes.
    pub watch: bool,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was told to.
    Stopped,
    /// The config file changed.
    Changed,
}

/// Runs the server and the proxy until Ctrl-C, or until the config changes.
///
/// # Errors
/// When either cannot begin, or gives up.
pub async fn run(cx: &Cx, file: &Arc<ConfigFile>, wishes: Wishes, view: &Combined<'_>) -> Result<Ending> {
    let plan = serve::Plan {
        file,
        database: wishes.database,
        settings: wishes.server,
        migrate: true,
        lease: None,
        retry_within: None,
    };
    let (server, reports) = tokio::select! {
        opened = Opened::open(cx, plan) => opened?,
        () = cx.shutdown.cancelled() => return Err(Error::new(Kind::Interrupted, "interrupted")),
    };
    let target = Url::parse(&format!("{}{}", server.url, server.hook))
        .map_err(|error| Error::new(Kind::Bug, error.to_string()))?;
    let plan = Plan {
        via: wishes.via,
        url: wishes.url,
        target,
        trust: proxy::trust_of(file)?,
        register: wishes.register,
        file: Some(Arc::clone(file)),
        filter: Filter::default(),
        headers: Vec::new(),
        since: None,
        identity: None,
    };
    view.serving(&server.url);
    // The proxy ends first: what it still forwards is still taken.
    let (stop_proxy, stop_server) = (cx.shutdown.child_token(), CancellationToken::new());
    let url = server.url.clone();
    let events = follow(&url, file, view);
    let mut serving = pin!(server.run(stop_server.clone()));
    let mut proxying = pin!(proxy::run(cx, plan, view, stop_proxy.clone()));
    let changed = async {
        if wishes.watch {
            watch::changed(&file.deployment.path).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let mut beside = pin!(async {
        tokio::join!(events, tell(reports, view));
        std::future::pending::<()>().await;
    });
    let mut changed = pin!(changed);
    let mut ending = Ending::Stopped;
    let done = loop {
        tokio::select! {
            served = &mut serving => {
                // It was not told to: the proxy has nobody to forward to, but a URL to put back.
                stop_proxy.cancel();
                let proxied = proxying.await.map(drop);
                served?;
                proxied?;
                return Err(Error::failure("the server ended without being told to"));
            }
            proxied = &mut proxying => break proxied.map(drop),
            () = &mut changed, if ending == Ending::Stopped => {
                ending = Ending::Changed;
                stop_proxy.cancel();
            }
            () = &mut beside => {}
        }
    };
    stop_server.cancel();
    let served = serving.await;
    done.and(served).map(|()| ending)
}

/// Tells what the server's jobs do.
async fn follow(url: &str, file: &ConfigFile, view: &Combined<'_>) {
    let Some(key) = &file.api_key else { return };
    let Ok(api) = Api::new(&Sourced::default(url.to_owned()), key.clone()) else { return };
    let Ok(mut feed) = Events::subscribe(&api).await else { return };
    while let Some(event) = feed.next().await {
        if view.job(&event).is_err() {
            return;
        }
    }
}

/// Tells what was fetched because GitHub could not deliver it.
async fn tell(mut reports: Reports, view: &Combined<'_>) {
    while let Some(report) = reports.recv().await {
        if view.reconciled(&report).is_err() {
            return;
        }
    }
}
