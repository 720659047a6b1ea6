//! Table `feedstocks`: the repositories that this server looks after.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Provider;
use crate::apps::http_api::Page;
use crate::apps::http_api::fields::{key, present, present_key};
use crate::apps::http_api::filter::Condition;
use crate::store::db::on;
use crate::store::{Db, Error};

/// A repository with recipes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "spec": "pangeo-forge/noaa-oisst-feedstock", "provider": "github", "id": 1 }))]
pub struct Feedstock {
    /// `owner/name`, unique.
    pub spec: String,
    /// Who hosts it.
    pub provider: Provider,
    /// Row id.
    pub id: i64,
}

/// A feedstock without its id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = FeedstockNew, example = json!({ "spec": "pangeo-forge/noaa-oisst-feedstock", "provider": "github" }))]
pub struct NewFeedstock {
    /// See [`Feedstock::spec`].
    #[serde(deserialize_with = "key")]
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub spec: String,
    /// Who hosts it; `github` when left out.
    #[serde(default = "github")]
    #[schema(default = "github")]
    pub provider: Provider,
}

fn github() -> Provider {
    Provider::Github
}

/// What to change of a feedstock: `None` leaves a column alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = FeedstockChange, example = json!({ "spec": "pangeo-forge/oisst-feedstock" }))]
#[serde(default)]
pub struct FeedstockChange {
    /// See [`Feedstock::spec`].
    #[serde(deserialize_with = "present_key")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub spec: Option<String>,
    /// See [`Feedstock::provider`].
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Provider, required = false)]
    pub provider: Option<Provider>,
}

type Columns = (String, String, i64);

impl Feedstock {
    /// Columns that lists can be ordered by; the first is the default.
    pub const ORDER: [&'static str; 3] = ["id", "spec", "provider"];

    fn read((spec, provider, id): Columns) -> Result<Self, Error> {
        Ok(Self { spec, provider: Provider::read(&provider)?, id })
    }
}

/// Adds a feedstock.
///
/// # Errors
/// [`Error::Conflict`] when the spec is taken, or when the database refuses.
pub async fn insert(db: &Db, spec: &str, provider: Provider) -> Result<Feedstock, Error> {
    let sql = "INSERT INTO feedstocks (spec, provider) VALUES ($1, $2) RETURNING spec, provider, id";
    let query = on!(w db, |pool| sqlx::query_as(sql).bind(spec).bind(provider.as_str()).fetch_one(pool).await);
    Feedstock::read(query?)
}

/// A page of those feedstocks that fulfil all of `conditions`.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, page: &Page, conditions: &[Condition]) -> Result<Vec<Feedstock>, Error> {
    let select = "SELECT spec, provider, id FROM feedstocks";
    let rows: Vec<Columns> = super::page(db, select, page, conditions).await?;
    rows.into_iter().map(Feedstock::read).collect()
}

/// One feedstock.
///
/// # Errors
/// When the database refuses.
pub async fn get(db: &Db, id: i64) -> Result<Option<Feedstock>, Error> {
    let sql = "SELECT spec, provider, id FROM feedstocks WHERE id = $1";
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(Feedstock::read).transpose()
}

/// The feedstock with this `owner/name`.
///
/// # Errors
/// When the database refuses.
pub async fn by_spec(db: &Db, spec: &str) -> Result<Option<Feedstock>, Error> {
    let sql = "SELECT spec, provider, id FROM feedstocks WHERE spec = $1";
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(spec).fetch_optional(pool).await)?;
    row.map(Feedstock::read).transpose()
}

/// Changes what is given. `None` when there is no such feedstock.
///
/// # Errors
/// [`Error::Conflict`] when the spec is taken, or when the database refuses.
pub async fn update(db: &Db, id: i64, change: &FeedstockChange) -> Result<Option<Feedstock>, Error> {
    let sql = "UPDATE feedstocks SET spec = COALESCE($2, spec), provider = COALESCE($3, provider) \
               WHERE id = $1 RETURNING spec, provider, id";
    let provider = change.provider.map(Provider::as_str);
    let row: Option<Columns> = on!(w db, |pool| {
        sqlx::query_as(sql).bind(id).bind(&change.spec).bind(provider).fetch_optional(pool).await
    })?;
    row.map(Feedstock::read).transpose()
}

/// Deletes a feedstock. `false` when there is none.
///
/// # Errors
/// [`Error::ForeignKey`] when it has runs, or when the database refuses.
pub async fn delete(db: &Db, id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM feedstocks WHERE id = $1";
    let deleted = on!(w db, |pool| sqlx::query(sql).bind(id).execute(pool).await.map(|done| done.rows_affected()));
    Ok(deleted? > 0)
}

/// How many there are.
///
/// # Errors
/// When the database refuses.
pub async fn count(db: &Db) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM feedstocks";
    Ok(on!(r db, |pool| sqlx::query_scalar(sql).fetch_one(pool).await)?)
}
