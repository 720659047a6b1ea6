//! Table `bakeries`: where recipes are run.

use serde::Serialize;
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::apps::http_api::Page;
use crate::store::db::on;
use crate::store::{Db, Error};

/// A place that runs recipes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
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

/// A page of bakeries.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, page: &Page) -> Result<Vec<Bakery>, Error> {
    let sql = format!("SELECT region, name, description, id FROM bakeries {}", super::page_clause(page));
    let rows: Vec<Columns> = on!(r db, |pool| {
        sqlx::query_as(AssertSqlSafe(sql)).bind(page.limit).bind(page.offset).fetch_all(pool).await
    })?;
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
pub async fn update(
    db: &Db,
    id: i64,
    region: Option<&str>,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<Option<Bakery>, Error> {
    let sql = "UPDATE bakeries SET region = COALESCE($2, region), name = COALESCE($3, name), \
               description = COALESCE($4, description) WHERE id = $1 RETURNING region, name, description, id";
    let row: Option<Columns> = on!(w db, |pool| {
        sqlx::query_as(sql).bind(id).bind(region).bind(name).bind(description).fetch_optional(pool).await
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
