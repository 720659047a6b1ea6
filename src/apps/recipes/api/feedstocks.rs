//! `/feedstocks`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::apps;
use crate::apps::http_api::filter::{Condition, Filter};
use crate::apps::http_api::resource::{Id, Resource, listed};
use crate::apps::http_api::{ApiError, Page, Pairs};
use crate::apps::recipes::rows::Provider;
use crate::apps::recipes::rows::feedstocks::{self as rows, Feedstock, FeedstockChange, NewFeedstock};
use crate::apps::recipes::rows::recipe_runs::{self, Dataset, RecipeRun};
use crate::store::{Db, Error};

/// Datasets that are listed at once, at most.
const DATASETS: i64 = 1000;

/// A feedstock with its runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedstockDetail, example = json!({
    "spec": "pangeo-forge/noaa-oisst-feedstock", "provider": "github", "id": 1, "recipe_runs": []
}))]
pub struct Detail {
    /// The feedstock.
    #[serde(flatten)]
    feedstock: Feedstock,
    /// Its newest 1000 runs, oldest first; `/recipe_runs?feedstock_id=ID` lists all.
    recipe_runs: Vec<RecipeRun>,
}

impl Resource for Feedstock {
    const PATH: &'static str = "/feedstocks";
    const NOUN: &'static str = "feedstock";
    const PLURAL: &'static str = "feedstocks";
    const ORDER: &'static [&'static str] = &Feedstock::ORDER;
    const FILTERS: &'static [Filter] = &[
        Filter::text("spec", "the one of this repository, `owner/name`"),
        Filter::word("provider", Provider::WORDS, "those that are hosted there"),
    ];
    const CONFLICT: &'static str = "The spec is taken";
    const IN_USE: Option<&'static str> = Some("It has recipe runs");

    type Row = Self;
    type New = NewFeedstock;
    type Change = FeedstockChange;
    type Detail = Detail;

    fn id(row: &Self) -> i64 {
        row.id
    }

    async fn list(db: &Db, page: &Page, conditions: &[Condition]) -> Result<Vec<Self>, Error> {
        rows::list(db, page, conditions).await
    }

    async fn insert(db: &Db, new: NewFeedstock) -> Result<Self, Error> {
        rows::insert(db, &new.spec, new.provider).await
    }

    async fn read(db: &Db, id: i64) -> Result<Option<Detail>, Error> {
        let Some(feedstock) = rows::get(db, id).await? else { return Ok(None) };
        Ok(Some(Detail { feedstock, recipe_runs: recipe_runs::of_feedstock(db, id).await? }))
    }

    async fn update(db: &Db, id: i64, change: FeedstockChange) -> Result<Option<Self>, Error> {
        rows::update(db, id, &change).await
    }

    async fn delete(db: &Db, id: i64) -> Result<bool, Error> {
        rows::delete(db, id).await
    }
}

/// Which datasets.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only a schema: the query is read as text")]
pub(super) enum DatasetKind {
    /// All.
    All,
    /// Those of runs on the feedstock's main branch.
    Production,
    /// Those of tests of pull requests.
    Test,
}

/// List the datasets of a feedstock: successful runs with a public address, oldest first.
///
/// An unknown feedstock has none. `Link` leads from a full page to the next.
#[utoipa::path(
    get, path = "/feedstocks/{id}/datasets", tag = "feedstocks",
    params(
        ("id" = i64, Path, description = "Row id."),
        ("type" = inline(Option<DatasetKind>), Query, description = "Default `all`."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1000, description = "How many at most. Default 1000."),
        ("after" = Option<i64>, Query, description = "Only datasets behind the run with this id."),
    ),
    responses((status = 200, description = "As asked", body = Vec<Dataset>)),
)]
pub(super) async fn datasets(State(state): State<apps::State>, Id(id): Id, query: Pairs) -> Result<Response, ApiError> {
    let kinds = [("all", None), ("production", Some(false)), ("test", Some(true))];
    let is_test = query.choice("type", &kinds)?.flatten();
    let limit = query.integer("limit", DATASETS, 1..=DATASETS)?;
    let after = query.integer("after", 0, i64::MIN..=i64::MAX)?;
    let datasets = recipe_runs::datasets(&state.db, id, is_test, after, limit + 1).await?;
    let page = Page { offset: 0, limit, order_by: "id", descending: false, after: Some(after) };
    Ok(listed(&format!("/feedstocks/{id}/datasets"), &page, &query, datasets, |dataset| dataset.id))
}
