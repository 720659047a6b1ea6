//! The server of a deployment, in this process: what `serve` is and what `dev` has beside its proxy.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::client;
use super::config::{ConfigFile, GithubApp, ServerSettings, bakeries};
use super::cx::Cx;
use super::database::{CONNECT_PATIENCE, tell};
use super::error::{Error, Result};
use super::forward::SignedForwarder;
use crate::apps::App;
use crate::apps::recipes::{self, Parts, Recipes};
use crate::server::{self, Limits, Reconcile, Reconciled};
use crate::store::{self, DatabaseUrl, Db, migrate};
use crate::util::Secret;

/// How long another process may take to migrate the same database.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(300);

/// What to serve, and how.
pub struct Plan<'a> {
    /// The deployment.
    pub file: &'a ConfigFile,
    /// The database.
    pub database: DatabaseUrl,
    /// Address, workers, drain.
    pub settings: ServerSettings,
    /// Whether the schema is brought up to date first, or must be so.
    pub migrate: bool,
    /// How long the jobs of a server that died stay with it; `None` is the default.
    pub lease: Option<Duration>,
    /// No job waits longer for its next attempt; `None` is each kind's own schedule.
    pub retry_within: Option<Duration>,
}

/// What a server fetches because GitHub could not deliver it, as it comes.
pub type Reports = UnboundedReceiver<Reconciled>;

/// A server that has its database and its port, and does not answer yet.
pub struct Opened {
    /// Where a browser on this machine finds it, without a slash at the end.
    pub url: String,
    /// The path of the hook.
    pub hook: &'static str,
    listener: TcpListener,
    config: server::Config,
    db: Db,
}

impl Opened {
    /// Brings the schema up to date, connects, and only then takes the port: who finds it open
    /// finds a server that works.
    ///
    /// # Errors
    /// When the file has no App, the schema is not ours, or the port is taken.
    pub async fn open(cx: &Cx, plan: Plan<'_>) -> Result<(Self, Reports)> {
        let (file, app) = (plan.file, plan.file.need_app()?);
        let github = client::of_app(cx, file)?;
        let bakeries = bakeries::read(cx, &file.deployment)?;
        if file.api_key.is_none() {
            cx.ui.warn(format!(
                "{} has no fastapi.PANGEO_FORGE_API_KEY: the API can be read but not written",
                cx.settings.shown(&file.deployment.path)
            ));
        }
        let db = Db::connect(&plan.database, CONNECT_PATIENCE).await?;
        let listen = plan.settings.listen.value;
        let bound = match prepare(plan.migrate, cx, &db).await {
            Ok(()) => TcpListener::bind(listen).await.map_err(|error| not_listening(listen, &error)),
            Err(error) => Err(error.into()),
        };
        let listener = match bound {
            Ok(listener) => listener,
            Err(error) => {
                db.close().await;
                return Err(error);
            }
        };
        let forwarder = SignedForwarder::new(&app.webhook_secret)
            .map_err(|error| Error::failure("cannot forward deliveries").caused_by(&error))?;
        let recipes: Arc<dyn App> = Arc::new(Recipes::new(Parts {
            settings: recipe_settings(cx, file),
            bakeries,
            app_name: file.deployment.app.clone(),
            forwarder: Some(Arc::new(forwarder)),
            github: Some(github.clone()),
            ..Parts::new(db.clone(), cx.clock.clone())
        }));
        let hook = recipes.hook().path;
        let bounds = Limits::default();
        let (sender, reports) = unbounded_channel();
        let reconcile = plan.settings.reconcile.value.map(|every| Reconcile {
            github,
            app: app.id,
            every,
            tell: Arc::new(move |report| {
                // Nobody listens any more once the server ends.
                let _ = sender.send(report);
            }),
        });
        let config = server::Config {
            db: db.clone(),
            apps: vec![recipes],
            webhook_secrets: accepted_secrets(app),
            api_key: file.api_key.clone(),
            workers: plan.settings.workers.value,
            https_only: plan.settings.https_only.value,
            cors: plan.settings.cors.value,
            limits: Limits {
                drain: plan.settings.drain.value,
                lease: plan.lease.unwrap_or(bounds.lease),
                retry_within: plan.retry_within.unwrap_or(bounds.retry_within),
                ..bounds
            },
            clock: cx.clock.clone(),
            reconcile,
        };
        let url = format!("http://{}", reachable(listener.local_addr()?));
        Ok((Self { url, hook, listener, config, db }, reports))
    }

    /// Serves until `shutdown`, then drains.
    ///
    /// # Errors
    /// When a part of the server ends that must not.
    pub async fn run(self, shutdown: CancellationToken) -> Result {
        let served = server::run(self.config, self.listener, shutdown).await;
        self.db.close().await;
        served.map_err(|error| Error::failure("the server gave up").caused_by(&error))
    }
}

/// The settings of the recipes app, with what a recipe must not see: the secrets of the deployment
/// and the person's own files.
fn recipe_settings(cx: &Cx, file: &ConfigFile) -> recipes::Settings {
    let mut settings = file.recipes.clone();
    let secrets = file.deployment.path.parent().map(PathBuf::from);
    let own = ["HOME", "SOPS_AGE_KEY_FILE"].into_iter().filter_map(|name| cx.env.path(name));
    settings.runner.private = secrets.into_iter().chain(own).filter_map(|path| path.canonicalize().ok()).collect();
    settings
}

/// The secrets that deliveries may be signed with: the current one and those that it replaced.
pub fn accepted_secrets(app: &GithubApp) -> Vec<Secret> {
    [&app.webhook_secret].into_iter().chain(&app.previous_webhook_secrets).cloned().collect()
}

async fn prepare(may_migrate: bool, cx: &Cx, db: &Db) -> std::result::Result<(), store::Error> {
    if may_migrate {
        let spinner = cx.ui.spinner("Preparing the database");
        let progress = |progress| spinner.aside(|| tell(&cx.ui, "Applying", "Applied", &progress));
        migrate::up(db, MIGRATION_PATIENCE, &progress).await?;
    }
    migrate::check(db).await
}

fn not_listening(listen: SocketAddr, error: &std::io::Error) -> Error {
    let told = Error::failure(format!("cannot listen on {listen}")).caused_by(error);
    match error.kind() {
        std::io::ErrorKind::AddrInUse => told.hint(format!("pforge serve --listen {}:0", listen.ip())),
        _ => told.hint("pforge serve --listen 127.0.0.1:8000"),
    }
}

/// An address that a browser on this machine can open.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}
