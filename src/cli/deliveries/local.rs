//! The local store: through a server's API, or by a look into its database. Either way the rows
//! have the form of the API.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::cli::api::Api;
use crate::cli::error::{Error, Kind, Result};
use crate::store::Db;
use crate::store::deliveries::search::search;
use crate::store::deliveries::{self, DeliveryFilter};
use crate::store::jobs::trace;

/// Where what was received can be looked up.
pub enum Local {
    /// A server.
    Server(Api),
    /// The database that a server has, opened read-only.
    Database(Db),
}

/// A page of the list.
pub struct Page {
    /// The rows, newest first, as `GET /deliveries` has them.
    pub items: Vec<Value>,
    /// Row id, for [`Local::page`]; or the server's cursor.
    pub next: Option<String>,
}

/// What to list; see [`DeliveryFilter`].
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// As of the store; `before` and `limit` count only for a database.
    pub filter: DeliveryFilter,
    /// Only payloads that hold this text.
    pub text: Option<String>,
}

impl Local {
    /// One page of the list, the first or the one after `after`.
    ///
    /// # Errors
    /// When the server or the database does not answer, or refuses.
    pub async fn page(&self, wanted: &Wanted, after: Option<&str>) -> Result<Page> {
        match self {
            Self::Server(api) => {
                let answer = api.get("/deliveries", &query(wanted, after)).await?;
                let items = answer["items"].as_array().cloned().unwrap_or_default();
                Ok(Page { items, next: answer["next"].as_str().map(str::to_owned) })
            }
            Self::Database(db) => {
                let mut filter = wanted.filter.clone();
                filter.before = after.and_then(|id| id.parse().ok());
                let (rows, reached) = match &wanted.text {
                    Some(text) => {
                        let found = search(db, &filter, text).await?;
                        (found.rows, found.reached)
                    }
                    None => {
                        let rows = deliveries::list(db, &filter).await?;
                        let full = rows.len() >= usize::try_from(filter.limit).unwrap_or(usize::MAX);
                        let reached = rows.last().filter(|_| full).map(|row| row.id);
                        (rows, reached)
                    }
                };
                let items = rows.iter().map(value).collect::<Result<_>>()?;
                Ok(Page { items, next: reached.map(|id| id.to_string()) })
            }
        }
    }

    /// The event `guid` as `GET /deliveries/{guid}` tells it; `None` when it is not there.
    ///
    /// # Errors
    /// When the server or the database does not answer, or refuses.
    pub async fn get(&self, guid: &str) -> Result<Option<Value>> {
        match self {
            Self::Server(api) => absent(api.get(&format!("/deliveries/{guid}"), &[]).await),
            Self::Database(db) => deliveries::get(db, guid).await?.as_ref().map(value).transpose(),
        }
    }

    /// What the attempts of a job did, as `GET /jobs/{id}/trace` tells it.
    ///
    /// # Errors
    /// When the server or the database does not answer, or refuses.
    pub async fn trace(&self, job: i64) -> Result<Vec<Value>> {
        match self {
            // A server from before there were traces has none.
            Self::Server(api) => {
                let answer = absent(api.get(&format!("/jobs/{job}/trace"), &[]).await)?;
                Ok(answer.and_then(|answer| answer["attempts"].as_array().cloned()).unwrap_or_default())
            }
            Self::Database(db) => trace::of_job(db, job).await?.iter().map(value).collect(),
        }
    }

    /// The exact bytes that arrived with `guid`.
    ///
    /// # Errors
    /// When the server or the database does not answer, or refuses.
    pub async fn payload(&self, guid: &str) -> Result<Option<Bytes>> {
        match self {
            Self::Server(api) => absent(api.bytes(&format!("/deliveries/{guid}/payload")).await),
            Self::Database(db) => Ok(deliveries::payload(db, guid).await?.map(|(_, bytes)| bytes)),
        }
    }
}

fn absent<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

fn value(row: &impl Serialize) -> Result<Value> {
    serde_json::to_value(row).map_err(|error| Error::new(Kind::Bug, error.to_string()))
}

fn query(wanted: &Wanted, after: Option<&str>) -> Vec<(&'static str, String)> {
    let filter = &wanted.filter;
    let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let given = [
        ("event", filter.event.clone()),
        ("action", filter.action.clone()),
        ("repo", filter.repo.clone()),
        ("status", filter.status.map(|status| status.as_str().to_owned())),
        ("guid", filter.guid.clone()),
        ("since", filter.since.map(time)),
        ("until", filter.until.map(time)),
        ("text", wanted.text.clone()),
        ("limit", Some(filter.limit.clamp(1, 1000).to_string())),
        ("after", after.map(str::to_owned)),
    ];
    given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
