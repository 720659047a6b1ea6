//! `pforge db wait`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::cx::Cx;
use crate::cli::database::DatabaseFlags;
use crate::cli::duration;
use crate::cli::error::{Error, Result};
use crate::store::{self, DatabaseUrl, Db};
use crate::util::text;

/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(250);

/// Wait until the database answers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pforge db wait && pforge serve\n  pforge db wait --timeout 2m")]
pub struct Args {
    #[command(flatten)]
    database: DatabaseFlags,
    /// How long to wait
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration::argument)]
    timeout: Duration,
}

/// Waits.
///
/// # Errors
/// When it does not answer in time, or the URL cannot be used.
pub fn run(args: Args, cx: &Cx) -> Result {
    let url = args.database.resolve(cx)?;
    let begun = Instant::now();
    let spinner = cx.ui.spinner("Waiting for the database");
    let outcome = cx.run(wait(&url, args.timeout));
    drop(spinner);
    outcome?;
    if cx.ui.json() {
        return cx.ui.document(&json!({ "ready": true, "waited_ms": begun.elapsed().as_millis() as u64 }));
    }
    cx.ui.status("The database answers.");
    Ok(())
}

async fn wait(url: &DatabaseUrl, timeout: Duration) -> Result {
    let begun = Instant::now();
    loop {
        let left = timeout.saturating_sub(begun.elapsed());
        let error = match reach(url, left.max(PAUSE)).await {
            Ok(()) => return Ok(()),
            Err(error @ store::Error::Unavailable(_)) => error,
            Err(other) => return Err(other.into()),
        };
        if begun.elapsed() + PAUSE >= timeout {
            let told = format!("the database did not answer within {}", text::duration(timeout));
            let why = Error::from(error);
            return Err(Error::new(why.kind, told).because(why.message));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn reach(url: &DatabaseUrl, timeout: Duration) -> std::result::Result<(), store::Error> {
    let db = Db::connect(url, timeout).await?;
    let answer = db.ping().await;
    db.close().await;
    answer
}
