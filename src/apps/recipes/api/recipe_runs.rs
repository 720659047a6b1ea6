//! `/recipe_runs`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::apps::http_api::Page;
use crate::apps::http_api::filter::{Condition, Filter};
use crate::apps::http_api::resource::Resource;
use crate::apps::recipes::rows::bakeries::{self, Bakery};
use crate::apps::recipes::rows::feedstocks::{self, Feedstock};
use crate::apps::recipes::rows::recipe_runs::{self as rows, NewRecipeRun, RecipeRun, RecipeRunChange};
use crate::apps::recipes::rows::{Conclusion, DatasetType, RunStatus};
use crate::store::{Db, Error};

/// A recipe run with its bakery and feedstock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecipeRunDetail, example = json!({
    "recipe_id": "noaa-oisst-avhrr-only", "bakery_id": 1, "feedstock_id": 1,
    "head_sha": "64451b2c1cfd8ab1bdd6a8a5a0c1a5b1e2d3c4f5", "version": "", "started_at": "2022-09-19T16:31:43Z",
    "completed_at": null, "conclusion": null, "status": "in_progress", "is_test": true, "dataset_type": "zarr",
    "dataset_public_url": null, "message": null, "id": 1,
    "bakery": {
        "region": "local", "name": "local-test-bakery", "description": "A great bakery to test with!", "id": 1
    },
    "feedstock": { "spec": "pangeo-forge/noaa-oisst-feedstock", "provider": "github", "id": 1 }
}))]
pub struct Detail {
    /// The run.
    #[serde(flatten)]
    recipe_run: RecipeRun,
    /// Where it is run.
    bakery: Option<Bakery>,
    /// Whose recipe it is.
    feedstock: Option<Feedstock>,
}

impl Resource for RecipeRun {
    const PATH: &'static str = "/recipe_runs";
    const NOUN: &'static str = "recipe_run";
    const PLURAL: &'static str = "recipe runs";
    const ORDER: &'static [&'static str] = &RecipeRun::ORDER;
    const FILTERS: &'static [Filter] = &[
        Filter::integer("feedstock_id", "of this feedstock"),
        Filter::integer("bakery_id", "at this bakery"),
        Filter::text("recipe_id", "of recipes with this id"),
        Filter::text("head_sha", "at this commit, in full"),
        Filter::word("status", RunStatus::WORDS, "that are so far"),
        Filter::word("conclusion", Conclusion::WORDS, "that ended so"),
        Filter::flag("is_test", "tests, or only production"),
        Filter::word("dataset_type", DatasetType::WORDS, "that produce such a dataset"),
    ];
    const CONFLICT: &'static str = "The recipe has a run at this commit, or the feedstock or bakery does not exist";
    const IN_USE: Option<&'static str> = None;

    type Row = Self;
    type New = NewRecipeRun;
    type Change = RecipeRunChange;
    type Detail = Detail;

    fn id(row: &Self) -> i64 {
        row.id
    }

    async fn list(db: &Db, page: &Page, conditions: &[Condition]) -> Result<Vec<Self>, Error> {
        rows::list(db, page, conditions).await
    }

    async fn insert(db: &Db, new: NewRecipeRun) -> Result<Self, Error> {
        rows::insert(db, &new).await
    }

    async fn read(db: &Db, id: i64) -> Result<Option<Detail>, Error> {
        let Some(recipe_run) = rows::get(db, id).await? else { return Ok(None) };
        let bakery = bakeries::get(db, recipe_run.bakery_id).await?;
        let feedstock = feedstocks::get(db, recipe_run.feedstock_id).await?;
        Ok(Some(Detail { recipe_run, bakery, feedstock }))
    }

    async fn update(db: &Db, id: i64, change: RecipeRunChange) -> Result<Option<Self>, Error> {
        rows::update(db, id, &change).await
    }

    async fn delete(db: &Db, id: i64) -> Result<bool, Error> {
        rows::delete(db, id).await
    }
}
