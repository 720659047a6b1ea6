//! Waits until the new App is installed.

use std::time::{Duration, Instant};

use crate::cli::cx::Cx;
use crate::cli::error::Result;
use crate::cli::ui::Spinner;
use crate::github::api::apps::Installation;
use crate::github::{Client, Error};
use crate::util::text::plural;

/// Between two looks at GitHub, in the first minutes and later.
const PAUSES: [(Duration, Duration); 2] =
    [(Duration::from_secs(120), Duration::from_secs(1)), (Duration::MAX, Duration::from_secs(5))];

/// How long GitHub may not know a key that it just made.
const FRESH_KEY: Duration = Duration::from_secs(60);

/// How the waiting ended.
#[derive(Clone, Debug)]
pub enum Waited {
    /// The App is installed, on so many repositories where that could be learnt.
    Installed(Box<Installation>, Option<u64>),
    /// Not within the time.
    TooLong,
    /// The person would not wait.
    Interrupted,
}

/// Asks GitHub until the App of `client` is installed, `patience` is over, or the person interrupts.
///
/// # Errors
/// When GitHub refuses the App for good.
pub async fn installation(cx: &Cx, client: &Client, patience: Duration, spinner: &Spinner) -> Result<Waited> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        match client.installations().await {
            Ok(installations) => {
                if let Some(installation) = installations.into_iter().next() {
                    let count = client.repositories_count(installation.id).await.ok();
                    return Ok(Waited::Installed(Box::new(installation), count));
                }
            }
            Err(error) if passes(&error, begun.elapsed()) => {
                if !std::mem::replace(&mut told, error.is_transient()) && error.is_transient() {
                    spinner.aside(|| cx.ui.warn(format!("GitHub does not answer; asking on ({error})")));
                }
            }
            Err(error) => return Err(error.into()),
        }
        let Some(left) = patience.checked_sub(begun.elapsed()) else { return Ok(Waited::TooLong) };
        let pause = PAUSES.iter().find(|(until, _)| begun.elapsed() < *until).map_or(PAUSES[1].1, |(_, pause)| *pause);
        tokio::select! {
            () = tokio::time::sleep(pause.min(left)) => {}
            () = cx.shutdown.cancelled() => return Ok(Waited::Interrupted),
        }
    }
}

/// Whether asking again may help.
fn passes(error: &Error, since: Duration) -> bool {
    error.is_transient() || since < FRESH_KEY && matches!(error.status(), Some(401 | 404))
}

/// `installed on alice, 3 repositories`.
pub fn told(installation: &Installation, repositories: Option<u64>) -> String {
    let account = installation.account.as_ref().map_or("an enterprise", |account| account.login.as_str());
    let reach = match repositories {
        Some(count) => {
            let all = if installation.repository_selection.as_deref() == Some("all") { "all, " } else { "" };
            format!(" ({all}{})", plural(count, "repository").replace("repositorys", "repositories"))
        }
        None => String::new(),
    };
    format!("installed on {account}{reach}")
}
