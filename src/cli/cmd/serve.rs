//! `pforge serve`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

use crate::apps::App;
use crate::apps::recipes::Recipes;
use crate::cli::api::Api;
use crate::cli::config::{ConfigFile, GithubApp, ServerFlags, ServerSettings, Sourced};
use crate::cli::cx::Cx;
use crate::cli::database::{CONNECT_PATIENCE, DatabaseFlags, tell};
use crate::cli::duration;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::events::Events;
use crate::cli::ui::Tone;
use crate::github::{self, AppCredentials};
use crate::server::{self, Limits};
use crate::store::{self, DatabaseUrl, Db, migrate};
use crate::util::Secret;

/// How long another process may take to migrate the same database.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(300);

/// Run the webhook server
#[derive(Debug, clap::Args)]
#[command(after_help = "The schema is migrated first. Ctrl-C and SIGTERM drain: requests and running jobs finish.\n\n\
    Examples:\n  DATABASE_URL=sqlite:///$PWD/database.sqlite pforge --deployment local serve\n  \
    pforge serve --listen 0.0.0.0:8000 --workers 8 --log-format json\n  \
    pforge serve --listen 127.0.0.1:0 --json   # first line: {\"type\":\"ready\",\"url\":…}")]
pub struct Args {
    #[command(flatten)]
    database: DatabaseFlags,
    #[command(flatten)]
    server: ServerFlags,
    /// Do not migrate; refuse a schema that is not at this pforge's version
    #[arg(long)]
    no_migrate: bool,
    /// How long the jobs of a server that died stay with it [default: 30s]
    // Hidden: a shorter time only helps tests.
    #[arg(long, value_name = "TIME", value_parser = lease, hide = true)]
    lease: Option<Duration>,
}

/// Below a second, a busy machine loses leases of workers that live.
fn lease(text: &str) -> std::result::Result<Duration, String> {
    let lease = duration::argument(text)?;
    if lease < Duration::from_secs(1) { Err("must be 1s at least".to_owned()) } else { Ok(lease) }
}

/// Serves until told to stop.
///
/// # Errors
/// When the configuration is not complete, the schema is not ours, or the port is taken.
pub fn run(args: Args, cx: &Cx) -> Result {
    let file = cx.config()?;
    let app = file.need_app()?;
    let settings = ServerSettings::resolve(&args.server, &cx.env, Some(&file))?;
    let url = args.database.resolve(cx)?;
    let github = client(cx, &file, app)?;
    if file.api_key.is_none() {
        cx.ui.warn(format!(
            "{} has no fastapi.PANGEO_FORGE_API_KEY: the API can be read but not written",
            cx.settings.shown(&file.deployment.path)
        ));
    }
    cx.run_to_end(async {
        let starting = start(&args, cx, &url, settings.listen.value);
        let (db, listener) = tokio::select! {
            started = starting => started?,
            () = cx.shutdown.cancelled() => return Err(Error::new(Kind::Interrupted, "interrupted")),
        };
        let recipes: Arc<dyn App> =
            Arc::new(Recipes::new(file.recipes.clone(), Some(github), db.clone(), cx.clock.clone()));
        let hook = recipes.hook().path;
        let bounds = Limits::default();
        let config = server::Config {
            db: db.clone(),
            apps: vec![recipes],
            webhook_secrets: accepted_secrets(app),
            api_key: file.api_key.clone(),
            workers: settings.workers.value,
            https_only: file.deployment.is_production(),
            limits: Limits { drain: settings.drain.value, lease: args.lease.unwrap_or(bounds.lease), ..bounds },
            clock: cx.clock.clone(),
        };
        let address = format!("http://{}", reachable(listener.local_addr()?));
        let telling = async {
            // Subscribed before anybody is told to begin: no event is missed.
            let feed = match &file.api_key {
                Some(key) if cx.ui.json() => Some(follow(&address, key).await?),
                _ => None,
            };
            ready(cx, &file, app, &url, &address, hook)?;
            if let Some(feed) = feed {
                tell_events(cx, feed).await;
            }
            std::future::pending::<Result>().await
        };
        let mut serving = pin!(server::run(config, listener, cx.shutdown.clone()));
        let (served, told) = tokio::select! {
            served = &mut serving => (served, Ok(())),
            told = telling => {
                cx.shutdown.cancel();
                (serving.await, told)
            }
        };
        db.close().await;
        served.map_err(|error| Error::failure("the server gave up").caused_by(&error))?;
        told?;
        if cx.ui.json() {
            return cx.ui.event(&json!({ "type": "stopped" }));
        }
        cx.ui.status("Stopped; everything accepted is kept.");
        Ok(())
    })
}

/// The client that speaks as the App.
fn client(cx: &Cx, file: &ConfigFile, app: &GithubApp) -> Result<github::Client> {
    let config = github::Config {
        api_url: cx.settings.github_url(Some(file))?.value,
        credentials: AppCredentials {
            issuer: app.client_id.clone().unwrap_or_else(|| app.id.to_string()),
            private_key: app.private_key.clone(),
        },
        clock: cx.clock.clone(),
    };
    github::Client::new(config).map_err(|error| {
        let path = file.deployment.path.display();
        Error::from(error).context(format!("{path}: github_app.private_key cannot be used")).hint(file.edit())
    })
}

fn accepted_secrets(app: &GithubApp) -> Vec<Secret> {
    [&app.webhook_secret].into_iter().chain(&app.previous_webhook_secrets).cloned().collect()
}

/// Brings the schema up to date, connects, and only then takes the port: who finds it open finds
/// a server that works.
async fn start(args: &Args, cx: &Cx, url: &DatabaseUrl, listen: SocketAddr) -> Result<(Db, TcpListener)> {
    let db = Db::connect(url, CONNECT_PATIENCE).await?;
    let bound = match prepare(args, cx, &db).await {
        Ok(()) => TcpListener::bind(listen).await.map_err(|error| not_listening(listen, &error)),
        Err(error) => Err(error.into()),
    };
    match bound {
        Ok(listener) => Ok((db, listener)),
        Err(error) => {
            db.close().await;
            Err(error)
        }
    }
}

async fn prepare(args: &Args, cx: &Cx, db: &Db) -> std::result::Result<(), store::Error> {
    if !args.no_migrate {
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

/// Tells that the server answers, and where.
fn ready(cx: &Cx, file: &ConfigFile, app: &GithubApp, database: &DatabaseUrl, url: &str, hook: &str) -> Result {
    if cx.ui.json() {
        return cx.ui.event(&json!({
            "type": "ready",
            "url": url,
            "hook": format!("{url}{hook}"),
            "docs": format!("{url}/docs"),
            "app": app.app_name,
            "deployment": file.deployment.app,
            "pid": std::process::id(),
        }));
    }
    let name = cx.ui.paint(Tone::Strong, &app.app_name);
    let link = |path: &str| cx.ui.paint(Tone::Link, &format!("{url}{path}"));
    cx.ui.status(format!("pforge serve · {name} (#{}) · {}", app.id, file.deployment.kind()));
    cx.ui.facts(&[
        ("database", database.to_string()),
        ("listening", link("")),
        ("webhook", link(hook)),
        ("docs", link("/docs")),
    ]);
    Ok(())
}

async fn follow(address: &str, key: &Secret) -> Result<Events> {
    Events::subscribe(&Api::new(&Sourced::default(address.to_owned()), key.clone())?).await
}

/// Prints events until the stream ends or nobody reads them any more; the server goes on.
async fn tell_events(cx: &Cx, mut feed: Events) {
    while let Some(event) = feed.next().await {
        if cx.ui.event(&event).is_err() {
            return;
        }
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
