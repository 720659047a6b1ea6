//! The REST API over feedstocks, bakeries and recipe runs.
//!
//! Reading is public, writing needs the admin key. Paths stand without their trailing slash: the
//! server takes both forms.

mod bakeries;
mod feedstocks;
mod fields;
mod recipe_runs;
mod stats;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::apps::State;
use crate::apps::http_api::ApiError;

/// The routes of this app.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(feedstocks::list, feedstocks::create))
        .routes(routes!(feedstocks::read, feedstocks::update, feedstocks::delete))
        .routes(routes!(feedstocks::datasets))
        .routes(routes!(bakeries::list, bakeries::create))
        .routes(routes!(bakeries::read, bakeries::update, bakeries::delete))
        .routes(routes!(recipe_runs::list, recipe_runs::create))
        .routes(routes!(recipe_runs::read, recipe_runs::update, recipe_runs::delete))
        .routes(routes!(stats::feedstocks))
        .routes(routes!(stats::bakeries))
        .routes(routes!(stats::recipe_runs))
        .routes(routes!(stats::datasets))
}

/// Answer to a deletion.
#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    /// Always true.
    ok: bool,
}

/// An error.
#[derive(Debug, Serialize, ToSchema)]
struct Problem {
    /// A sentence, or a list of what is invalid: `[{"loc": ["body", "spec"], "msg": "…", "type": "…"}]`.
    detail: serde_json::Value,
}

/// The `{id}` of a path.
#[derive(Clone, Copy, Debug)]
struct Id(i64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let invalid = || ApiError::invalid(&["path", "id"], "value is not a valid integer", "type_error.integer");
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        id.parse().map(Self).map_err(|_| invalid())
    }
}
