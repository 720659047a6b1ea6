//! `/bakeries`.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{key, present_key, present_text, text};
use super::{Deleted, Id, Problem};
use crate::apps;
use crate::apps::http_api::{Admin, ApiError, PageQuery, ValidJson};
use crate::apps::recipes::rows::bakeries::{self as rows, Bakery};
use crate::apps::recipes::rows::recipe_runs::{self, RecipeRun};

const NOUN: &str = "bakery";

/// A new bakery.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BakeryNew)]
pub(super) struct New {
    /// Where it stands.
    #[serde(deserialize_with = "text")]
    region: String,
    /// Its name: what `bakery.id` in meta.yaml refers to.
    #[serde(deserialize_with = "key")]
    name: String,
    /// A sentence about it.
    #[serde(deserialize_with = "text")]
    description: String,
}

/// What to change of a bakery.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BakeryChange)]
pub(super) struct Change {
    /// Where it stands.
    #[serde(default, deserialize_with = "present_text")]
    #[schema(value_type = String, required = false)]
    region: Option<String>,
    /// Its name: what `bakery.id` in meta.yaml refers to.
    #[serde(default, deserialize_with = "present_key")]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    /// A sentence about it.
    #[serde(default, deserialize_with = "present_text")]
    #[schema(value_type = String, required = false)]
    description: Option<String>,
}

/// A bakery with its runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BakeryDetail)]
pub(super) struct Detail {
    /// The bakery.
    #[serde(flatten)]
    bakery: Bakery,
    /// Its runs, oldest first.
    recipe_runs: Vec<RecipeRun>,
}

/// List bakeries.
#[utoipa::path(
    get, path = "/bakeries", tag = "bakeries", params(PageQuery),
    responses((status = 200, body = Vec<Bakery>), (status = 422, body = Problem)),
)]
pub(super) async fn list(
    State(state): State<apps::State>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Vec<Bakery>>, ApiError> {
    let page = query.check(&Bakery::ORDER)?;
    Ok(Json(rows::list(&state.db, &page).await?))
}

/// Add a bakery.
#[utoipa::path(
    post, path = "/bakeries", tag = "bakeries", request_body = New, security(("api_key" = [])),
    responses(
        (status = 200, body = Bakery),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem, description = "The name is taken."),
        (status = 422, body = Problem),
    ),
)]
pub(super) async fn create(
    _: Admin,
    State(state): State<apps::State>,
    ValidJson(new): ValidJson<New>,
) -> Result<Json<Bakery>, ApiError> {
    Ok(Json(rows::insert(&state.db, &new.region, &new.name, &new.description).await?))
}

/// Read a bakery with its runs.
#[utoipa::path(
    get, path = "/bakeries/{id}", tag = "bakeries", params(("id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404, body = Problem), (status = 422, body = Problem)),
)]
pub(super) async fn read(State(state): State<apps::State>, Id(id): Id) -> Result<Json<Detail>, ApiError> {
    let bakery = rows::get(&state.db, id).await?.ok_or_else(|| ApiError::not_found(NOUN))?;
    let recipe_runs = recipe_runs::of_bakery(&state.db, id).await?;
    Ok(Json(Detail { bakery, recipe_runs }))
}

/// Change the given fields of a bakery.
#[utoipa::path(
    patch, path = "/bakeries/{id}", tag = "bakeries", params(("id" = i64, Path)), request_body = Change,
    security(("api_key" = [])),
    responses(
        (status = 200, body = Bakery),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The name is taken."),
        (status = 422, body = Problem),
    ),
)]
pub(super) async fn update(
    _: Admin,
    State(state): State<apps::State>,
    Id(id): Id,
    ValidJson(change): ValidJson<Change>,
) -> Result<Json<Bakery>, ApiError> {
    let Change { region, name, description } = &change;
    let changed = rows::update(&state.db, id, region.as_deref(), name.as_deref(), description.as_deref()).await?;
    changed.map(Json).ok_or_else(|| ApiError::not_found(NOUN))
}

/// Delete a bakery.
#[utoipa::path(
    delete, path = "/bakeries/{id}", tag = "bakeries", params(("id" = i64, Path)), security(("api_key" = [])),
    responses(
        (status = 200, body = Deleted),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has recipe runs."),
    ),
)]
pub(super) async fn delete(_: Admin, State(state): State<apps::State>, Id(id): Id) -> Result<Json<Deleted>, ApiError> {
    if rows::delete(&state.db, id).await? { Ok(Json(Deleted { ok: true })) } else { Err(ApiError::not_found(NOUN)) }
}
