//! `/feedstocks`.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{key, present, present_key};
use super::{Deleted, Id, Problem};
use crate::apps;
use crate::apps::http_api::{Admin, ApiError, PageQuery, Pairs, ValidJson};
use crate::apps::recipes::rows::Provider;
use crate::apps::recipes::rows::feedstocks::{self as rows, Feedstock};
use crate::apps::recipes::rows::recipe_runs::{self, Dataset, RecipeRun};

const NOUN: &str = "feedstock";

/// A new feedstock.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FeedstockNew)]
pub(super) struct New {
    /// `owner/name` of its repository.
    #[serde(deserialize_with = "key")]
    spec: String,
    /// Who hosts it; `github` when left out.
    #[serde(default = "github")]
    #[schema(default = "github")]
    provider: Provider,
}

fn github() -> Provider {
    Provider::Github
}

/// What to change of a feedstock.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FeedstockChange)]
pub(super) struct Change {
    /// `owner/name` of its repository.
    #[serde(default, deserialize_with = "present_key")]
    #[schema(value_type = String, required = false)]
    spec: Option<String>,
    /// Who hosts it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Provider, required = false)]
    provider: Option<Provider>,
}

/// A feedstock with its runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedstockDetail)]
pub(super) struct Detail {
    /// The feedstock.
    #[serde(flatten)]
    feedstock: Feedstock,
    /// Its runs, oldest first.
    recipe_runs: Vec<RecipeRun>,
}

/// List feedstocks.
#[utoipa::path(
    get, path = "/feedstocks", tag = "feedstocks", params(PageQuery),
    responses((status = 200, body = Vec<Feedstock>), (status = 422, body = Problem)),
)]
pub(super) async fn list(
    State(state): State<apps::State>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Vec<Feedstock>>, ApiError> {
    let page = query.check(&Feedstock::ORDER)?;
    Ok(Json(rows::list(&state.db, &page).await?))
}

/// Add a feedstock.
#[utoipa::path(
    post, path = "/feedstocks", tag = "feedstocks", request_body = New, security(("api_key" = [])),
    responses(
        (status = 200, body = Feedstock),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 409, body = Problem, description = "The spec is taken."),
        (status = 422, body = Problem),
    ),
)]
pub(super) async fn create(
    _: Admin,
    State(state): State<apps::State>,
    ValidJson(new): ValidJson<New>,
) -> Result<Json<Feedstock>, ApiError> {
    Ok(Json(rows::insert(&state.db, &new.spec, new.provider).await?))
}

/// Read a feedstock with its runs.
#[utoipa::path(
    get, path = "/feedstocks/{id}", tag = "feedstocks", params(("id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404, body = Problem), (status = 422, body = Problem)),
)]
pub(super) async fn read(State(state): State<apps::State>, Id(id): Id) -> Result<Json<Detail>, ApiError> {
    let feedstock = rows::get(&state.db, id).await?.ok_or_else(|| ApiError::not_found(NOUN))?;
    let recipe_runs = recipe_runs::of_feedstock(&state.db, id).await?;
    Ok(Json(Detail { feedstock, recipe_runs }))
}

/// Change the given fields of a feedstock.
#[utoipa::path(
    patch, path = "/feedstocks/{id}", tag = "feedstocks", params(("id" = i64, Path)), request_body = Change,
    security(("api_key" = [])),
    responses(
        (status = 200, body = Feedstock),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The spec is taken."),
        (status = 422, body = Problem),
    ),
)]
pub(super) async fn update(
    _: Admin,
    State(state): State<apps::State>,
    Id(id): Id,
    ValidJson(change): ValidJson<Change>,
) -> Result<Json<Feedstock>, ApiError> {
    let changed = rows::update(&state.db, id, change.spec.as_deref(), change.provider).await?;
    changed.map(Json).ok_or_else(|| ApiError::not_found(NOUN))
}

/// Delete a feedstock.
#[utoipa::path(
    delete, path = "/feedstocks/{id}", tag = "feedstocks", params(("id" = i64, Path)), security(("api_key" = [])),
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

/// List the datasets of a feedstock: successful runs with a public address.
#[utoipa::path(
    get, path = "/feedstocks/{id}/datasets", tag = "feedstocks",
    params(("id" = i64, Path), ("type" = Option<String>, Query, description = "`all` (default), `production` or `test`")),
    responses((status = 200, body = Vec<Dataset>), (status = 422, body = Problem)),
)]
pub(super) async fn datasets(
    State(state): State<apps::State>,
    Id(id): Id,
    query: Pairs,
) -> Result<Json<Vec<Dataset>>, ApiError> {
    let kinds = [("all", None), ("production", Some(false)), ("test", Some(true))];
    let is_test = query.choice("type", &kinds)?.flatten();
    Ok(Json(recipe_runs::datasets(&state.db, id, is_test).await?))
}
