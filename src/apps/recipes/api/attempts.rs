//! `/recipe_runs/{id}/attempts`: a run is asked for again, or to stop.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::apps;
use crate::apps::http_api::resource::Id;
use crate::apps::http_api::{Admin, ApiError, Pairs};
use crate::apps::recipes::jobs::{Report, RequestRun, run_key};
use crate::apps::recipes::rows::attempts::{self, Attempt};
use crate::apps::recipes::rows::recipe_runs::{self, RecipeRun};
use crate::jobs::Job;
use crate::store::jobs::{self, JobState, NewJob};

/// The run stands as it is; what was asked for is queued.
type Accepted = Result<(StatusCode, Json<RecipeRun>), ApiError>;

/// List the attempts at a recipe run, oldest first.
#[utoipa::path(
    get, path = "/recipe_runs/{id}/attempts", tag = "recipe runs", params(("id" = i64, Path, description = "Row id.")),
    responses(
        (status = 200, description = "As asked", body = Vec<Attempt>),
        (status = 404, description = "There is no such recipe run"),
    ),
)]
pub(super) async fn list(State(state): State<apps::State>, Id(id): Id) -> Result<Json<Vec<Attempt>>, ApiError> {
    run(&state, id).await?;
    Ok(Json(attempts::list(&state.db, id).await?))
}

/// Run a recipe run again, or for the first time.
///
/// What asks for it is queued durably before the answer; asking twice before it begins is asking once.
#[utoipa::path(
    post, path = "/recipe_runs/{id}/retry", tag = "recipe runs", params(("id" = i64, Path, description = "Row id.")),
    security(("api_key" = [])),
    responses(
        (status = 202, description = "It is queued; the run as it is now", body = RecipeRun),
        (status = 404, description = "There is no such recipe run"),
        (status = 409, description = "An attempt at it is not over"),
    ),
)]
pub(super) async fn retry(_: Admin, State(state): State<apps::State>, Id(id): Id) -> Accepted {
    let run = run(&state, id).await?;
    if let Some(open) = attempts::open(&state.db, id).await? {
        let detail = format!("Attempt {} is not over. Cancel it first.", open.number);
        return Err(ApiError::new(StatusCode::CONFLICT, detail));
    }
    let next = attempts::list(&state.db, id).await?.last().map_or(1, |newest| newest.number + 1);
    let request = RequestRun { recipe_run_id: id, requested_by: "api".to_owned(), from_github: false, head_sha: None };
    let job = request.queued(None, format!("{}/request/{next}", run_key(id)));
    queue(&state, job).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// Stop the running attempt at a recipe run.
///
/// A local run is stopped within seconds. A bakery elsewhere is not told: its job may go on, but what
/// it reports is ignored.
#[utoipa::path(
    post, path = "/recipe_runs/{id}/cancel", tag = "recipe runs",
    params(
        ("id" = i64, Path, description = "Row id."),
        ("force" = Option<bool>, Query, description = "Take the attempt for cancelled without waiting until it has stopped."),
    ),
    security(("api_key" = [])),
    responses(
        (status = 202, description = "It is asked to stop; the run as it is now", body = RecipeRun),
        (status = 404, description = "There is no such recipe run"),
        (status = 409, description = "No attempt at it is open"),
    ),
)]
pub(super) async fn cancel(_: Admin, State(state): State<apps::State>, Id(id): Id, query: Pairs) -> Accepted {
    let force = query.flag("force", false)?;
    let run = run(&state, id).await?;
    let nothing = || ApiError::new(StatusCode::CONFLICT, "No attempt at it is open: there is nothing to cancel.");
    let number = attempts::cancel(&state.db, id, state.clock.now()).await?.ok_or_else(nothing)?;
    let elsewhere = attempts::get(&state.db, id, number).await?.is_some_and(|attempt| attempt.job_id.is_some());
    if elsewhere || force {
        let report = Report {
            recipe_run_id: id,
            attempt: Some(number),
            conclusion: "cancelled".to_owned(),
            reason: Some("the run was cancelled".to_owned()),
            trace: None,
        };
        queue(&state, report.queued(Some(run_key(id)), format!("{}/attempt/{number}/cancel", run_key(id)))).await?;
    }
    state.wake.wake();
    Ok((StatusCode::ACCEPTED, Json(run)))
}

async fn run(state: &apps::State, id: i64) -> Result<RecipeRun, ApiError> {
    recipe_runs::get(&state.db, id).await?.ok_or_else(|| ApiError::not_found("recipe_run"))
}

/// Queues `job`. One with its token that ended without having its effect is put back.
async fn queue(state: &apps::State, job: Result<NewJob, serde_json::Error>) -> Result<(), ApiError> {
    let job = job.map_err(|error| {
        tracing::error!(%error, "a job has no JSON form");
        ApiError::internal()
    })?;
    let now = state.clock.now();
    if jobs::enqueue(&state.db, std::slice::from_ref(&job), now).await?.is_empty()
        && let Some(known) = jobs::by_token(&state.db, &job.token).await?
        && matches!(known.state, JobState::Done | JobState::Dead)
    {
        jobs::retry(&state.db, known.id, true, now).await?;
    }
    state.wake.wake();
    Ok(())
}
