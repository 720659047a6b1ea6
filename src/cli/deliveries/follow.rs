//! What happens, as it happens: the server's events, and new entries of GitHub's log.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

use super::repos::Repos;
use crate::cli::api::Api;
use crate::cli::error::{Error, Result};
use crate::cli::events::Events;
use crate::github::Client;
use crate::github::api::apps::HookDelivery;

/// How long until a server that went away is looked for again.
const AWAY: Duration = Duration::from_secs(1);
/// Pages of new attempts that are read at most before only the newest are told.
const PAGES: u32 = 10;

/// What was seen.
#[derive(Debug)]
pub enum Seen {
    /// The server told of an event, which has a field `type`.
    Server(Value),
    /// A new attempt in GitHub's log, and its repository.
    Attempt(Box<HookDelivery>, Option<String>),
    /// One side does not answer (any more).
    Away(&'static str, Box<Error>),
    /// It answers again.
    Back(&'static str),
}

/// Tells of the server's events for ever. `feed` is a subscription that is there already.
pub async fn server(api: &Api, feed: Option<Events>, tell: &Sender<Seen>) {
    let mut feed = feed;
    let mut away = feed.is_none();
    loop {
        match feed.take() {
            Some(mut events) => {
                if std::mem::take(&mut away) && tell.send(Seen::Back("the server")).await.is_err() {
                    return;
                }
                while let Some(event) = events.next().await {
                    if tell.send(Seen::Server(event)).await.is_err() {
                        return;
                    }
                }
            }
            None => sleep(AWAY).await,
        }
        match Events::subscribe(api).await {
            Ok(events) => feed = Some(events),
            Err(error) if !away => {
                away = true;
                if tell.send(Seen::Away("the server", Box::new(error))).await.is_err() {
                    return;
                }
            }
            Err(_) => {}
        }
    }
}

/// The newest attempt's number; 0 when the log is empty.
///
/// # Errors
/// When GitHub does not answer, or refuses.
pub async fn newest(client: &Client) -> Result<i64> {
    Ok(client.hook_deliveries(None).await?.items.first().map_or(0, |attempt| attempt.id))
}

/// Tells of the attempts after number `last` for ever, oldest first. Asking costs nothing of the
/// rate limit while nothing is new.
pub async fn github(client: &Client, mut last: i64, every: Duration, tell: &Sender<Seen>) {
    let mut repos = Repos::default();
    let mut away = false;
    loop {
        sleep(every).await;
        let fresh = match fresh(client, last).await {
            Ok(fresh) => fresh,
            Err(error) => {
                if !std::mem::replace(&mut away, true)
                    && tell.send(Seen::Away("GitHub", Box::new(error))).await.is_err()
                {
                    return;
                }
                continue;
            }
        };
        if std::mem::take(&mut away) && tell.send(Seen::Back("GitHub")).await.is_err() {
            return;
        }
        for attempt in fresh.into_iter().rev() {
            last = last.max(attempt.id);
            // Without a name it is told all the same.
            let repo = repos.of(client, &attempt).await.ok().flatten();
            if tell.send(Seen::Attempt(Box::new(attempt), repo)).await.is_err() {
                return;
            }
        }
    }
}

/// Attempts with a number above `last`, newest first.
async fn fresh(client: &Client, last: i64) -> Result<Vec<HookDelivery>> {
    let mut page = client.hook_deliveries(None).await?;
    let mut fresh = Vec::new();
    for _ in 0..PAGES {
        let all = page.items.len();
        fresh.extend(page.items.into_iter().filter(|attempt| attempt.id > last));
        match page.next {
            // Numbers grow, but not strictly by time: a page without any new one is the end.
            Some(next) if fresh.len() >= all && last > 0 => page = client.hook_deliveries(Some(&next)).await?,
            _ => break,
        }
    }
    Ok(fresh)
}
