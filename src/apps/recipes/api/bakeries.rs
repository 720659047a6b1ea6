//! `/bakeries`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::apps::http_api::Page;
use crate::apps::http_api::filter::{Condition, Filter};
use crate::apps::http_api::resource::Resource;
use crate::apps::recipes::rows::bakeries::{self as rows, Bakery, BakeryChange, NewBakery};
use crate::apps::recipes::rows::recipe_runs::{self, RecipeRun};
use crate::store::{Db, Error};

/// A bakery with its runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BakeryDetail, example = json!({
    "region": "local", "name": "local-test-bakery", "description": "A great bakery to test with!", "id": 1,
    "recipe_runs": []
}))]
pub struct Detail {
    /// The bakery.
    #[serde(flatten)]
    bakery: Bakery,
    /// Its newest 1000 runs, oldest first; `/recipe_runs?bakery_id=ID` lists all.
    recipe_runs: Vec<RecipeRun>,
}

impl Resource for Bakery {
    const PATH: &'static str = "/bakeries";
    const NOUN: &'static str = "bakery";
    const PLURAL: &'static str = "bakeries";
    const ORDER: &'static [&'static str] = &Bakery::ORDER;
    const FILTERS: &'static [Filter] =
        &[Filter::text("name", "the one of this name"), Filter::text("region", "in this region")];
    const CONFLICT: &'static str = "The name is taken";
    const IN_USE: Option<&'static str> = Some("It has recipe runs");

    type Row = Self;
    type New = NewBakery;
    type Change = BakeryChange;
    type Detail = Detail;

    fn id(row: &Self) -> i64 {
        row.id
    }

    async fn list(db: &Db, page: &Page, conditions: &[Condition]) -> Result<Vec<Self>, Error> {
        rows::list(db, page, conditions).await
    }

    async fn insert(db: &Db, new: NewBakery) -> Result<Self, Error> {
        rows::insert(db, &new.region, &new.name, &new.description).await
    }

    async fn read(db: &Db, id: i64) -> Result<Option<Detail>, Error> {
        let Some(bakery) = rows::get(db, id).await? else { return Ok(None) };
        Ok(Some(Detail { bakery, recipe_runs: recipe_runs::of_bakery(db, id).await? }))
    }

    async fn update(db: &Db, id: i64, change: BakeryChange) -> Result<Option<Self>, Error> {
        rows::update(db, id, &change).await
    }

    async fn delete(db: &Db, id: i64) -> Result<bool, Error> {
        rows::delete(db, id).await
    }
}
