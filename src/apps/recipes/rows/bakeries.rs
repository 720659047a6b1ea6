//! Table `bakeries`: where recipes are run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::apps::http_api::Page;
use crate::apps::http_api::fields::{key, present_key, present_text, text};
use crate::apps::http_api::filter::Condition;
use crate::store::db::on;
use crate::store::{Db, Error};

/// A place that runs recipes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "region": "local", "name": "local-test-bakery", "description": "A great bakery to test with!", "id": 1
}))]
pub struct Bakery {
    /// Where it stands.
    pub region: String,
    /// Its name, unique: what `bakery.id` in meta.yaml refers to.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// Row id.
    pub id: i64,
}

/// A bakery without its id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = BakeryNew, example = json!({
    "region": "local", "name": "local-test-bakery", "description": "A great bakery to test with!"
}))]
pub struct NewBakery {
    /// See [`Bakery::region`].
    #[serde(deserialize_with = "text")]
    #[schema(pattern = r"^[^\u0000]*$")]
    pub region: String,
    /// See [`Bakery::name`].
    #[serde(deserialize_with = "key")]
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub name: String,
    /// See [`Bakery::description`].
    #[serde(deserialize_with = "text")]
    #[schema(pattern = r"^[^\u0000]*$")]
    pub description: String,
}

/// What to change of a bakery: `None` leaves a column alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = BakeryChange, example = json!({ "description": "An even greater bakery." }))]
#[serde(default)]
pub struct BakeryChange {
    /// See [`Bakery::region`].
    #[serde(deserialize_with = "present_text")]
    #[schema(value_type = String, required = false, pattern = r"^[^\u0000]*$")]
    pub region: Option<String>,
    /// See [`Bakery::name`].
    #[serde(deserialize_with = "present_key")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub name: Option<String>,
    /// See [`Bakery::description`].
    #[serde(deserialize_with = "present_text")]
    #[schema(value_type = String, required = false, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
}

type Columns = (String, String, String, i64);

impl Bakery {
    /// Columns that lists can be ordered by; the first is the default.
    pub const ORDER: [&'static str; 4] = ["id", "region", "name", "description"];

    fn read((region, name, description, id): Columns) -> Self {
        Self { region, name, description, id }
    }
}

/// Adds a bakery.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken, or when the database refuses.
pub async fn insert(db: &Db, region: &str, name: &str, description: &str) -> Result<Bakery, Error> {
    let sql = "INSERT INTO bakeries (region, name, description) VALUES ($1, $2, $3) \
               RETURNING region, name, description, id";
    let row = on!(w db, |pool| {
        sqlx::query_as(sql).bind(region).bind(name).bind(description).fetch_one(pool).await
    });
    Ok(Bakery::read(row?))
}

/// A page of those bakeries that fulfil all of `conditions`.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, page: &Page, conditions: &[Condition]) -> Result<Vec<Bakery>, Error> {
    let select = "SELECT region, name, description, id FROM bakeries";
    let rows: Vec<Columns> = super::page(db, select, page, conditions).await?;
    Ok(rows.into_iter().map(Bakery::read).collect())
}

/// One bakery.
///
/// # Errors
/// When the database refuses.
pub async fn get(db: &Db, id: i64) -> Result<Option<Bakery>, Error> {
    let sql = "SELECT region, name, description, id FROM bakeries WHERE id = $1";
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(Bakery::read))
}

/// The bakery with this name.
///
/// # Errors
/// When the database refuses.
pub async fn by_name(db: &Db, name: &str) -> Result<Option<Bakery>, Error> {
    let sql = "SELECT region, name, description, id FROM bakeries WHERE name = $1";
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(name).fetch_optional(pool).await)?;
    Ok(row.map(Bakery::read))
}

/// Changes what is given. `None` when there is no such bakery.
///
/// # Errors
/// [`Error::Conflict`] when the name is taken, or when the database refuses.
pub async fn update(db: &Db, id: i64, change: &BakeryChange) -> Result<Option<Bakery>, Error> {
    let sql = "UPDATE bakeries SET region = COALESCE($2, region), name = COALESCE($3, name), \
               description = COALESCE($4, description) WHERE id = $1 RETURNING region, name, description, id";
    let row: Option<Columns> = on!(w db, |pool| {
        sqlx::query_as(sql)
            .bind(id)
            .bind(&change.region)
            .bind(&change.name)
            .bind(&change.description)
            .fetch_optional(pool).await
    })?;
    Ok(row.map(Bakery::read))
}

/// Deletes a bakery. `false` when there is none.
///
/// # Errors
/// [`Error::ForeignKey`] when it has runs, or when the database refuses.
pub async fn delete(db: &Db, id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM bakeries WHERE id = $1";
    let deleted = on!(w db, |pool| sqlx::query(sql).bind(id).execute(pool).await.map(|done| done.rows_affected()));
    Ok(deleted? > 0)
}

/// How many there are.
///
/// # Errors
/// When the database refuses.
pub async fn count(db: &Db) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM bakeries";
    Ok(on!(r db, |pool| sqlx::query_scalar(sql).fetch_one(pool).await)?)
}
