//! The emulator and the server of the demo, in this process, on free ports, with a database in a
//! temporary folder.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::apps::App;
use crate::apps::recipes::{Parts, Recipes};
use crate::cli::error::{Error, Result};
use crate::emulator::person::NewApp;
use crate::emulator::{self, Seed};
use crate::github::{self, AppCredentials};
use crate::server::{self, Limits};
use crate::store::{DatabaseUrl, Db, migrate};
use crate::util::{Clock, Secret};

/// How long the parts may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something that runs in the background and where it is reached.
pub struct Running {
    /// Where it listens.
    pub url: String,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Ends it gracefully.
    ///
    /// # Errors
    /// What it failed with.
    pub async fn stop(self) -> Result {
        self.stop.cancel();
        match tokio::time::timeout(PATIENCE, self.task).await {
            Ok(Ok(ended)) => ended.map_err(|error| Error::failure("it ended badly").caused_by(&error)),
            Ok(Err(panic)) => Err(Error::failure("it panicked").caused_by(&panic)),
            Err(_) => Err(Error::failure("it did not end in time")),
        }
    }
}

async fn free_port() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

/// Starts a GitHub with nothing in it but what `seed` names.
///
/// # Errors
/// When there is no free port.
pub async fn start_github(seed: Seed) -> Result<Running> {
    let (listener, url) = free_port().await?;
    let stop = CancellationToken::new();
    let options = emulator::Options { seed, ..emulator::Options::default() };
    let task = tokio::spawn(emulator::run(listener, options, stop.clone()));
    Ok(Running { url, stop, task })
}

/// A client that speaks as `app`.
///
/// # Errors
/// When the App's key cannot sign.
pub fn client(github_url: &str, app: &NewApp) -> Result<github::Client> {
    let api_url = Url::parse(github_url).map_err(|error| Error::failure("not a URL").caused_by(&error))?;
    let credentials = AppCredentials { issuer: app.client_id.clone(), private_key: app.pem.clone() };
    Ok(github::Client::new(github::Config { api_url, credentials, clock: Clock::system() })?)
}

/// Starts the server on a fresh database in `folder`: what `pforge serve` does, in this process.
///
/// # Errors
/// When the database or the port cannot be had.
pub async fn start_server(folder: &Path, app: &NewApp, github: github::Client, api_key: Secret) -> Result<Running> {
    let url: DatabaseUrl = format!("sqlite://{}", folder.join("demo.sqlite").display()).parse()?;
    let db = Db::connect(&url, PATIENCE).await?;
    migrate::up(&db, PATIENCE, &|_| ()).await?;
    let clock = Clock::system();
    let recipes: Arc<dyn App> = Arc::new(Recipes::new(Parts { github: Some(github), ..Parts::new(db.clone(), clock.clone()) }));
    let config = server::Config {
        db: db.clone(),
        apps: vec![recipes],
        webhook_secrets: app.webhook_secret.iter().cloned().collect(),
        api_key: Some(api_key),
        workers: 4,
        https_only: false,
        cors: server::Cors::default(),
        limits: Limits { drain: PATIENCE, ..Limits::default() },
        clock,
        reconcile: None,
    };
    let (listener, url) = free_port().await?;
    let stop = CancellationToken::new();
    let task = tokio::spawn({
        let stop = stop.clone();
        async move {
            let served = server::run(config, listener, stop).await;
            db.close().await;
            served
        }
    });
    Ok(Running { url, stop, task })
}
