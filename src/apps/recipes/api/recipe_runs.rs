//! `/recipe_runs`.

use axum::Json;
use axum::extract::{Query, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{
    given, given_text, given_time, key, nullable_text, nullable_time, present, present_key, present_text, present_time,
    text, time,
};
use super::{Deleted, Id, Problem};
use crate::apps;
use crate::apps::http_api::{Admin, ApiError, PageQuery, ValidJson};
use crate::apps::recipes::rows::bakeries::{self, Bakery};
use crate::apps::recipes::rows::feedstocks::{self, Feedstock};
use crate::apps::recipes::rows::recipe_runs::{self as rows, NewRecipeRun, RecipeRun, RecipeRunChange};
use crate::apps::recipes::rows::{Conclusion, DatasetType, RunStatus};

const NOUN: &str = "recipe_run";

/// A new recipe run.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RecipeRunNew)]
pub(super) struct New {
    /// Id of the recipe in meta.yaml.
    #[serde(deserialize_with = "key")]
    recipe_id: String,
    /// Where it is run.
    bakery_id: i64,
    /// Whose recipe it is.
    feedstock_id: i64,
    /// Commit.
    #[serde(deserialize_with = "key")]
    head_sha: String,
    /// Version of the dataset; may be empty.
    #[serde(deserialize_with = "text")]
    version: String,
    /// When it was queued or started.
    #[serde(deserialize_with = "time")]
    started_at: DateTime<Utc>,
    /// When it ended.
    #[serde(default, deserialize_with = "nullable_time")]
    completed_at: Option<DateTime<Utc>>,
    /// How it ended.
    #[serde(default)]
    conclusion: Option<Conclusion>,
    /// How far it is; `queued` when left out.
    #[serde(default = "queued")]
    #[schema(default = "queued")]
    status: RunStatus,
    /// Whether it is a test; false when left out.
    #[serde(default)]
    is_test: bool,
    /// What it produces.
    #[serde(default)]
    dataset_type: Option<DatasetType>,
    /// Where the dataset can be opened.
    #[serde(default, deserialize_with = "nullable_text")]
    dataset_public_url: Option<String>,
    /// Free text.
    #[serde(default, deserialize_with = "nullable_text")]
    message: Option<String>,
}

fn queued() -> RunStatus {
    RunStatus::Queued
}

impl From<New> for NewRecipeRun {
    fn from(new: New) -> Self {
        Self {
            recipe_id: new.recipe_id,
            bakery_id: new.bakery_id,
            feedstock_id: new.feedstock_id,
            head_sha: new.head_sha,
            version: new.version,
            started_at: new.started_at,
            completed_at: new.completed_at,
            conclusion: new.conclusion,
            status: new.status,
            is_test: new.is_test,
            dataset_type: new.dataset_type,
            dataset_public_url: new.dataset_public_url,
            message: new.message,
            pr_number: None,
        }
    }
}

/// What to change of a recipe run.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RecipeRunChange)]
pub(super) struct Change {
    /// Id of the recipe in meta.yaml.
    #[serde(default, deserialize_with = "present_key")]
    #[schema(value_type = String, required = false)]
    recipe_id: Option<String>,
    /// Where it is run.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i64, required = false)]
    bakery_id: Option<i64>,
    /// Whose recipe it is.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i64, required = false)]
    feedstock_id: Option<i64>,
    /// Commit.
    #[serde(default, deserialize_with = "present_key")]
    #[schema(value_type = String, required = false)]
    head_sha: Option<String>,
    /// Version of the dataset; may be empty.
    #[serde(default, deserialize_with = "present_text")]
    #[schema(value_type = String, required = false)]
    version: Option<String>,
    /// When it was queued or started.
    #[serde(default, deserialize_with = "present_time")]
    #[schema(value_type = DateTime<Utc>, required = false)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, deserialize_with = "given_time")]
    #[schema(value_type = Option<DateTime<Utc>>, required = false)]
    completed_at: Option<Option<DateTime<Utc>>>,
    /// How it ended.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Conclusion>, required = false)]
    conclusion: Option<Option<Conclusion>>,
    /// How far it is.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = RunStatus, required = false)]
    status: Option<RunStatus>,
    /// Whether it is a test.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    is_test: Option<bool>,
    /// What it produces.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<DatasetType>, required = false)]
    dataset_type: Option<Option<DatasetType>>,
    /// Where the dataset can be opened.
    #[serde(default, deserialize_with = "given_text")]
    #[schema(value_type = Option<String>, required = false)]
    dataset_public_url: Option<Option<String>>,
    /// Free text.
    #[serde(default, deserialize_with = "given_text")]
    #[schema(value_type = Option<String>, required = false)]
    message: Option<Option<String>>,
}

impl From<Change> for RecipeRunChange {
    fn from(change: Change) -> Self {
        Self {
            recipe_id: change.recipe_id,
            bakery_id: change.bakery_id,
            feedstock_id: change.feedstock_id,
            head_sha: change.head_sha,
            version: change.version,
            started_at: change.started_at,
            completed_at: change.completed_at,
            conclusion: change.conclusion,
            status: change.status,
            is_test: change.is_test,
            dataset_type: change.dataset_type,
            dataset_public_url: change.dataset_public_url,
            message: change.message,
        }
    }
}

/// A recipe run with its bakery and feedstock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecipeRunDetail)]
pub(super) struct Detail {
    /// The run.
    #[serde(flatten)]
    recipe_run: RecipeRun,
    /// Where it is run.
    bakery: Option<Bakery>,
    /// Whose recipe it is.
    feedstock: Option<Feedstock>,
}

/// List recipe runs.
#[utoipa::path(
    get, path = "/recipe_runs", tag = "recipe runs", params(PageQuery),
    responses((status = 200, body = Vec<RecipeRun>), (status = 422, body = Problem)),
)]
pub(super) async fn list(
    State(state): State<apps::State>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Vec<RecipeRun>>, ApiError> {
    let page = query.check(&RecipeRun::ORDER)?;
    Ok(Json(rows::list(&state.db, &page).await?))
}

/// Add a recipe run.
#[utoipa::path(
    post, path = "/recipe_runs", tag = "recipe runs", request_body = New, security(("api_key" = [])),
    responses(
        (status = 200, body = RecipeRun),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem, description = "The recipe has a run at this commit, or the feedstock or bakery does not exist."),
        (status = 422, body = Problem),
    ),
)]
pub(super) async fn create(
    _: Admin,
    State(state): State<apps::State>,
    ValidJson(new): ValidJson<New>,
) -> Result<Json<RecipeRun>, ApiError> {
    Ok(Json(rows::insert(&state.db, &new.into()).await?))
}

/// Read a recipe run with its bakery and feedstock.
#[utoipa::path(
    get, path = "/recipe_runs/{id}", tag = "recipe runs", params(("id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404, body = Problem), (status = 422, body = Problem)),
)]
pub(super) async fn read(State(state): State<apps::State>, Id(id): Id) -> Result<Json<Detail>, ApiError> {
    let recipe_run = rows::get(&state.db, id).await?.ok_or_else(|| ApiError::not_found(NOUN))?;
    let bakery = bakeries::get(&state.db, recipe_run.bakery_id).await?;
    let feedstock = feedstocks::get(&state.db, recipe_run.feedstock_id).await?;
    Ok(Json(Detail { recipe_run, bakery, feedstock }))
}

/// Change the given fields of a recipe run.
#[utoipa::path(
    patch, path = "/recipe_runs/{id}", tag = "recipe runs", params(("id" = i64, Path)), request_body = Change,
    security(("api_key" = [])),
    responses(
        (status = 200, body = RecipeRun),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The recipe has a run at this commit, or the feedstock or bakery does not exist."),
        (status = 422, body = Problem),
    ),
)]
pub(super) async fn update(
    _: Admin,
    State(state): State<apps::State>,
    Id(id): Id,
    ValidJson(change): ValidJson<Change>,
) -> Result<Json<RecipeRun>, ApiError> {
    let changed = rows::update(&state.db, id, &change.into()).await?;
    changed.map(Json).ok_or_else(|| ApiError::not_found(NOUN))
}

/// Delete a recipe run.
#[utoipa::path(
    delete, path = "/recipe_runs/{id}", tag = "recipe runs", params(("id" = i64, Path)), security(("api_key" = [])),
    responses(
        (status = 200, body = Deleted),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
    ),
)]
pub(super) async fn delete(_: Admin, State(state): State<apps::State>, Id(id): Id) -> Result<Json<Deleted>, ApiError> {
    if rows::delete(&state.db, id).await? { Ok(Json(Deleted { ok: true })) } else { Err(ApiError::not_found(NOUN)) }
}
