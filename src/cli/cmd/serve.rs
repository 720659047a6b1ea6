//! `pforge serve`.

use std::pin::pin;
use std::time::Duration;

use serde_json::json;

use crate::cli::api::Api;
use crate::cli::config::{ConfigFile, GithubApp, ServerFlags, ServerSettings, Sourced};
use crate::cli::cx::Cx;
use crate::cli::database::DatabaseFlags;
use crate::cli::duration;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::events::Events;
use crate::cli::reconciled;
use crate::cli::serve::{Opened, Plan};
use crate::cli::ui::Tone;
use crate::store::DatabaseUrl;
use crate::util::Secret;

/// Run the webhook server
#[derive(Debug, clap::Args)]
#[command(after_help = "The schema is migrated first. Ctrl-C and SIGTERM drain: requests and running jobs finish.\n\
    What GitHub could not deliver is fetched from its log at the start, and then every 5 minutes.\n\n\
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
    /// Let no job wait longer than this for its next attempt
    // Hidden: it only spares tests the long waits after many failures.
    #[arg(long, value_name = "TIME", value_parser = duration::argument, hide = true)]
    retry_within: Option<Duration>,
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
    let database = args.database.resolve(cx)?;
    cx.run_to_end(async {
        let plan = Plan {
            file: &file,
            database: database.clone(),
            settings,
            migrate: !args.no_migrate,
            lease: args.lease,
            retry_within: args.retry_within,
        };
        let (server, mut reports) = tokio::select! {
            opened = Opened::open(cx, plan) => opened?,
            () = cx.shutdown.cancelled() => return Err(Error::new(Kind::Interrupted, "interrupted")),
        };
        let (url, hook) = (server.url.clone(), server.hook);
        let telling = async {
            // Subscribed before anybody is told to begin: no event is missed.
            let feed = match &file.api_key {
                Some(key) if cx.ui.json() => Some(follow(&url, key).await?),
                _ => None,
            };
            ready(cx, &file, app, &database, &url, hook)?;
            let events = async {
                if let Some(feed) = feed {
                    tell_events(cx, feed).await;
                }
                std::future::pending::<()>().await;
            };
            let fetched = async {
                while let Some(report) = reports.recv().await {
                    if reconciled::tell(cx, &report).is_err() {
                        break;
                    }
                }
                std::future::pending::<()>().await;
            };
            tokio::join!(events, fetched);
            Ok::<(), Error>(())
        };
        let mut serving = pin!(server.run(cx.shutdown.clone()));
        let (served, told) = tokio::select! {
            served = &mut serving => (served, Ok(())),
            told = telling => {
                cx.shutdown.cancel();
                (serving.await, told)
            }
        };
        served?;
        told?;
        if cx.ui.json() {
            return cx.ui.event(&json!({ "type": "stopped" }));
        }
        cx.ui.status("Stopped; everything accepted is kept.");
        Ok(())
    })
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
        // Told by the server itself, also when it happened before anybody could listen.
        if event["type"] == "reconciled" {
            continue;
        }
        if cx.ui.event(&event).is_err() {
            return;
        }
    }
}
