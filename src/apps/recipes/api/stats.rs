//! `/stats`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::apps;
use crate::apps::http_api::{ApiError, Pairs};
use crate::apps::recipes::rows;

/// How many there are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "count": 42 }))]
pub(super) struct Count {
    /// How many there are.
    count: i64,
}

type Answer = Result<Json<Count>, ApiError>;

fn answer(count: i64) -> Answer {
    Ok(Json(Count { count }))
}

/// Count the feedstocks.
#[utoipa::path(get, path = "/stats/feedstocks", tag = "stats", responses((status = 200, description = "As asked", body = Count)))]
pub(super) async fn feedstocks(State(state): State<apps::State>) -> Answer {
    answer(rows::feedstocks::count(&state.db).await?)
}

/// Count the bakeries.
#[utoipa::path(get, path = "/stats/bakeries", tag = "stats", responses((status = 200, description = "As asked", body = Count)))]
pub(super) async fn bakeries(State(state): State<apps::State>) -> Answer {
    answer(rows::bakeries::count(&state.db).await?)
}

/// Count the recipe runs.
#[utoipa::path(get, path = "/stats/recipe_runs", tag = "stats", responses((status = 200, description = "As asked", body = Count)))]
pub(super) async fn recipe_runs(State(state): State<apps::State>) -> Answer {
    answer(rows::recipe_runs::count(&state.db).await?)
}

/// Count the datasets: runs with a public address.
#[utoipa::path(
    get, path = "/stats/datasets", tag = "stats",
    params(("exclude_test_runs" = Option<bool>, Query, description = "Count only successful production runs.")),
    responses((status = 200, description = "As asked", body = Count)),
)]
pub(super) async fn datasets(State(state): State<apps::State>, query: Pairs) -> Answer {
    let production = query.flag("exclude_test_runs", false)?;
    answer(rows::recipe_runs::count_datasets(&state.db, production).await?)
}
