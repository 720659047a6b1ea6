//! What the runner wrote: as text, whole or as it grows.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::apps;
use crate::apps::http_api::resource::Id;
use crate::apps::http_api::{ApiError, Pairs};
use crate::apps::recipes::jobs::Cx;
use crate::apps::recipes::rows::recipe_runs::{self, RecipeRun};
use crate::apps::recipes::rows::{attempts, logs};
use crate::apps::recipes::runner::scan::{Cleaner, Known};
use crate::store::{self, Db};

/// Logs that are followed at a time.
const READERS: usize = 64;
/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Pieces that are read together.
const BATCH: i64 = 50;

/// What all who read logs share.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    /// The places of those who follow one.
    places: Arc<Semaphore>,
    /// Secrets that may not be shown. They are taken out when lines are stored; what was configured
    /// since, or came through before, is taken out again.
    known: Known,
}

impl Readers {
    /// None yet.
    pub(super) fn new(cx: &Cx) -> Self {
        let runner = Known::new(cx.settings.runner.sensitive());
        let known = cx.bakeries.values().fold(runner, |known, bakery| known.and(&bakery.known()));
        Self { places: Arc::new(Semaphore::new(READERS)), known }
    }
}

/// Read the log of a recipe run.
///
/// Lines as the runner wrote them, without secrets. The headers `X-Log-Attempt` and `X-Log-Next` say
/// which attempt it is and where to go on (`from`).
#[utoipa::path(
    get, path = "/recipe_runs/{id}/logs", tag = "recipe runs",
    params(
        ("id" = i64, Path, description = "Row id."),
        ("attempt" = Option<i32>, Query, minimum = 1, description = "Which attempt; the newest when left out."),
        ("from" = Option<i32>, Query, minimum = 0, description = "The first piece; a log is stored in numbered pieces of whole lines."),
        ("follow" = Option<bool>, Query, description = "Go on until the attempt ends."),
    ),
    responses(
        (status = 200, description = "The log", content_type = "text/plain", body = String, example = json!("Baking noaa-oisst-avhrr-only\nDone\n")),
        (status = 404, description = "There is no such recipe run or attempt, or it was not started yet"),
    ),
)]
pub(super) async fn of_run(
    State(state): State<apps::State>,
    Extension(readers): Extension<Readers>,
    Id(id): Id,
    query: Pairs,
) -> Result<Response, ApiError> {
    let run = recipe_runs::get(&state.db, id).await?.ok_or_else(|| ApiError::not_found("recipe_run"))?;
    show(&state, readers, &run, &query).await
}

/// The parts of the path that name a run.
#[derive(Deserialize)]
pub(super) struct Named {
    owner: String,
    repo: String,
    commit: String,
    recipe_id: String,
}

/// Read the log of a recipe at a commit of a feedstock.
///
/// Its production run when there is one, else its test.
#[utoipa::path(
    get, path = "/feedstocks/{owner}/{repo}/{commit}/{recipe_id}/logs", tag = "feedstocks",
    params(
        ("owner" = String, Path, description = "Owner of the repository."),
        ("repo" = String, Path, description = "Name of the repository."),
        ("commit" = String, Path, description = "Full SHA."),
        ("recipe_id" = String, Path, description = "Id of the recipe in meta.yaml."),
        ("is_test" = Option<bool>, Query, description = "Only the test, or only the production run."),
        ("attempt" = Option<i32>, Query, minimum = 1, description = "Which attempt; the newest when left out."),
        ("from" = Option<i32>, Query, minimum = 0, description = "The first piece; a log is stored in numbered pieces of whole lines."),
        ("follow" = Option<bool>, Query, description = "Go on until the attempt ends."),
    ),
    responses(
        (status = 200, description = "The log", content_type = "text/plain", body = String, example = json!("Baking noaa-oisst-avhrr-only\nDone\n")),
        (status = 404, description = "There is no such feedstock, recipe run or attempt, or it was not started yet"),
    ),
)]
pub(super) async fn of_recipe(
    State(state): State<apps::State>,
    Extension(readers): Extension<Readers>,
    Path(named): Path<Named>,
    query: Pairs,
) -> Result<Response, ApiError> {
    let wanted = match query.get("is_test") {
        Some(_) => Some(query.flag("is_test", false)?),
        None => None,
    };
    let spec = format!("{}/{}", named.owner, named.repo);
    let runs = recipe_runs::at_commit(&state.db, &spec, &named.commit, &named.recipe_id).await?;
    // Production comes first.
    let run = runs.into_iter().find(|run| wanted.is_none_or(|is_test| run.is_test == is_test));
    show(&state, readers, &run.ok_or_else(|| ApiError::not_found("recipe_run"))?, &query).await
}

async fn show(state: &apps::State, readers: Readers, run: &RecipeRun, query: &Pairs) -> Result<Response, ApiError> {
    let most = i64::from(i32::MAX);
    let wanted = query.integer("attempt", 0, 1..=most)?;
    let from = query.integer("from", 0, 0..=most)?;
    let follow = query.flag("follow", false)?;
    let attempt = match i32::try_from(wanted).unwrap_or(0) {
        0 => attempts::newest(&state.db, run.id).await?.ok_or_else(|| {
            ApiError::new(StatusCode::NOT_FOUND, format!("recipe_run {} was not started yet", run.id))
        })?,
        number => attempts::get(&state.db, run.id, number).await?.ok_or_else(|| ApiError::not_found("attempt"))?,
    };
    let place = if follow {
        let place = readers.places.try_acquire_owned();
        let full = "Too many logs are followed. Try again later.";
        Some(place.map_err(|_| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, full))?)
    } else {
        None
    };
    // What is there now; a log that is not followed ends with it.
    let end = logs::end(&state.db, run.id, attempt.number).await?;
    let tail = Tail {
        db: state.db.clone(),
        cleaner: Cleaner::new(readers.known),
        run: run.id,
        attempt: attempt.number,
        next: i32::try_from(from).unwrap_or(i32::MAX),
        end: (!follow).then_some(end),
        shutdown: state.shutdown.clone(),
        _place: place,
    };
    let mut response = Body::from_stream(stream::try_unfold(tail, Tail::more)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    // The lines are a stranger's: a browser must not take them for a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("x-log-attempt", attempt.number.into());
    if follow {
        // Proxies such as nginx would hold the stream back otherwise.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    } else {
        headers.insert("x-log-next", end.into());
    }
    Ok(response)
}

/// A log that is being read.
struct Tail {
    db: Db,
    cleaner: Cleaner,
    run: i64,
    attempt: i32,
    /// The piece to go on with.
    next: i32,
    /// Where to stop; `None` follows until the attempt ends.
    end: Option<i32>,
    shutdown: CancellationToken,
    /// Free again when the stream is dropped.
    _place: Option<OwnedSemaphorePermit>,
}

impl Tail {
    /// The next lines; `None` at the end.
    async fn more(mut self) -> Result<Option<(Bytes, Self)>, store::Error> {
        loop {
            // Asked before the pieces are read: what an attempt wrote before its end is not missed.
            let over = self.end.is_some() || self.is_over().await?;
            let mut pieces = logs::read(&self.db, self.run, self.attempt, self.next, BATCH).await?;
            pieces.retain(|(seq, _)| self.end.is_none_or(|end| *seq < end));
            if let Some((last, _)) = pieces.last() {
                self.next = last.saturating_add(1);
                let text: String = pieces.into_iter().map(|(_, content)| content).collect();
                return Ok(Some((Bytes::from(self.cleaned(&text)), self)));
            }
            if over {
                return Ok(None);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.shutdown.cancelled() => return Ok(None),
            }
        }
    }

    async fn is_over(&self) -> Result<bool, store::Error> {
        let attempt = attempts::get(&self.db, self.run, self.attempt).await?;
        Ok(attempt.is_none_or(|attempt| attempt.ended_at.is_some()))
    }

    /// Whole lines without their secrets.
    fn cleaned(&mut self, text: &str) -> String {
        let mut cleaned = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            cleaned.push_str(&self.cleaner.line(bare));
            cleaned.push_str(&line[bare.len()..]);
        }
        cleaned
    }
}
