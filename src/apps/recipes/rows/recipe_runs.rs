//! Table `recipe_runs`: one row for each recipe at each commit, as a test and in production.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use super::words::{Conclusion, DatasetType, RunStatus};
use crate::apps::http_api::Page;
use crate::apps::http_api::fields::{
    given, given_text, given_time, integer, key, nullable_text, nullable_time, present, present_integer, present_key,
    present_text, present_time, text, time,
};
use crate::apps::http_api::filter::{Condition, Value};
use crate::store::db::on;
use crate::store::{Db, Error};

/// Runs that are shown with their feedstock or bakery at most. Older ones are listed by a filter.
pub const EMBEDDED: i64 = 1000;

/// A recipe run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "recipe_id": "noaa-oisst-avhrr-only", "bakery_id": 1, "feedstock_id": 1,
    "head_sha": "64451b2c1cfd8ab1bdd6a8a5a0c1a5b1e2d3c4f5", "version": "", "started_at": "2022-09-19T16:31:43Z",
    "completed_at": "2022-09-19T16:42:10Z", "conclusion": "success", "status": "completed", "is_test": true,
    "dataset_type": "zarr", "dataset_public_url": "https://data.example.org/noaa-oisst-avhrr-only.zarr",
    "message": "{\"job_name\":\"a-3-1\"}", "id": 1
}))]
pub struct RecipeRun {
    /// Id of the recipe in meta.yaml.
    pub recipe_id: String,
    /// Where it is run.
    pub bakery_id: i64,
    /// Whose recipe it is.
    pub feedstock_id: i64,
    /// Commit.
    pub head_sha: String,
    /// Version of the dataset; empty in practice.
    pub version: String,
    /// When it was queued, later when it was started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub conclusion: Option<Conclusion>,
    /// How far it is.
    pub status: RunStatus,
    /// Whether it is a test of a pull request, and not production.
    pub is_test: bool,
    /// What it produces.
    pub dataset_type: Option<DatasetType>,
    /// Where the dataset can be opened. With it, a successful run is a dataset.
    pub dataset_public_url: Option<String>,
    /// Free text; JSON where this app writes it.
    pub message: Option<String>,
    /// Row id.
    pub id: i64,
}

/// A recipe run without its id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = RecipeRunNew, example = json!({
    "recipe_id": "noaa-oisst-avhrr-only", "bakery_id": 1, "feedstock_id": 1,
    "head_sha": "64451b2c1cfd8ab1bdd6a8a5a0c1a5b1e2d3c4f5", "version": "", "started_at": "2022-09-19T16:31:43Z",
    "is_test": true, "dataset_type": "zarr"
}))]
pub struct NewRecipeRun {
    /// See [`RecipeRun::recipe_id`].
    #[serde(deserialize_with = "key")]
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub recipe_id: String,
    /// See [`RecipeRun::bakery_id`].
    #[serde(deserialize_with = "integer")]
    pub bakery_id: i64,
    /// See [`RecipeRun::feedstock_id`].
    #[serde(deserialize_with = "integer")]
    pub feedstock_id: i64,
    /// See [`RecipeRun::head_sha`].
    #[serde(deserialize_with = "key")]
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub head_sha: String,
    /// See [`RecipeRun::version`].
    #[serde(deserialize_with = "text")]
    #[schema(pattern = r"^[^\u0000]*$")]
    pub version: String,
    /// See [`RecipeRun::started_at`].
    #[serde(deserialize_with = "time")]
    pub started_at: DateTime<Utc>,
    /// See [`RecipeRun::completed_at`].
    #[serde(default, deserialize_with = "nullable_time")]
    pub completed_at: Option<DateTime<Utc>>,
    /// See [`RecipeRun::conclusion`].
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
    /// See [`RecipeRun::status`].
    #[serde(default = "queued")]
    #[schema(default = "queued")]
    pub status: RunStatus,
    /// See [`RecipeRun::is_test`].
    #[serde(default)]
    pub is_test: bool,
    /// See [`RecipeRun::dataset_type`].
    #[serde(default)]
    pub dataset_type: Option<DatasetType>,
    /// See [`RecipeRun::dataset_public_url`].
    #[serde(default, deserialize_with = "nullable_text")]
    #[schema(pattern = r"^[^\u0000]*$")]
    pub dataset_public_url: Option<String>,
    /// See [`RecipeRun::message`].
    #[serde(default, deserialize_with = "nullable_text")]
    #[schema(pattern = r"^[^\u0000]*$")]
    pub message: Option<String>,
    /// The pull request that it tests.
    #[serde(skip)]
    pub pr_number: Option<i64>,
}

fn queued() -> RunStatus {
    RunStatus::Queued
}

/// What to change of a recipe run: `None` leaves a column alone, `Some(None)` empties it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = RecipeRunChange, example = json!({
    "status": "completed", "conclusion": "success", "completed_at": "2022-09-19T16:42:10Z",
    "dataset_public_url": "https://data.example.org/noaa-oisst-avhrr-only.zarr"
}))]
#[serde(default)]
pub struct RecipeRunChange {
    /// See [`RecipeRun::recipe_id`].
    #[serde(deserialize_with = "present_key")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub recipe_id: Option<String>,
    /// See [`RecipeRun::bakery_id`].
    #[serde(deserialize_with = "present_integer")]
    #[schema(value_type = i64, required = false)]
    pub bakery_id: Option<i64>,
    /// See [`RecipeRun::feedstock_id`].
    #[serde(deserialize_with = "present_integer")]
    #[schema(value_type = i64, required = false)]
    pub feedstock_id: Option<i64>,
    /// See [`RecipeRun::head_sha`].
    #[serde(deserialize_with = "present_key")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, pattern = r"^[^\u0000]*$")]
    pub head_sha: Option<String>,
    /// See [`RecipeRun::version`].
    #[serde(deserialize_with = "present_text")]
    #[schema(value_type = String, required = false, pattern = r"^[^\u0000]*$")]
    pub version: Option<String>,
    /// See [`RecipeRun::started_at`].
    #[serde(deserialize_with = "present_time")]
    #[schema(value_type = DateTime<Utc>, required = false)]
    pub started_at: Option<DateTime<Utc>>,
    /// See [`RecipeRun::completed_at`].
    #[serde(deserialize_with = "given_time")]
    #[schema(value_type = Option<DateTime<Utc>>, required = false)]
    pub completed_at: Option<Option<DateTime<Utc>>>,
    /// See [`RecipeRun::conclusion`].
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Conclusion>, required = false)]
    pub conclusion: Option<Option<Conclusion>>,
    /// See [`RecipeRun::status`].
    #[serde(deserialize_with = "present")]
    #[schema(value_type = RunStatus, required = false)]
    pub status: Option<RunStatus>,
    /// See [`RecipeRun::is_test`].
    #[serde(deserialize_with = "present")]
    #[schema(value_type = bool, required = false)]
    pub is_test: Option<bool>,
    /// See [`RecipeRun::dataset_type`].
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<DatasetType>, required = false)]
    pub dataset_type: Option<Option<DatasetType>>,
    /// See [`RecipeRun::dataset_public_url`].
    #[serde(deserialize_with = "given_text")]
    #[schema(value_type = Option<String>, required = false, pattern = r"^[^\u0000]*$")]
    pub dataset_public_url: Option<Option<String>>,
    /// See [`RecipeRun::message`].
    #[serde(deserialize_with = "given_text")]
    #[schema(value_type = Option<String>, required = false, pattern = r"^[^\u0000]*$")]
    pub message: Option<Option<String>>,
}

/// A successful run that left something to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "recipe_id": "noaa-oisst-avhrr-only", "feedstock_id": 1, "is_test": false, "dataset_type": "zarr",
    "dataset_public_url": "https://data.example.org/noaa-oisst-avhrr-only.zarr"
}))]
pub struct Dataset {
    /// Row id of the run.
    pub id: i64,
    /// Id of the recipe.
    pub recipe_id: String,
    /// Whose recipe it is.
    pub feedstock_id: i64,
    /// Whether it comes from a test.
    pub is_test: bool,
    /// Its kind.
    pub dataset_type: Option<DatasetType>,
    /// Where it can be opened.
    pub dataset_public_url: String,
}

/// The columns in the order of [`Columns`]; a macro, so that it can stand in `concat!`.
macro_rules! columns {
    () => {
        "recipe_id, bakery_id, feedstock_id, head_sha, version, started_at, completed_at, conclusion, status, \
         is_test, dataset_type, dataset_public_url, message, id"
    };
}

type Columns = (
    String,
    i64,
    i64,
    String,
    String,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<String>,
    String,
    bool,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
);

impl RecipeRun {
    /// Columns that lists can be ordered by; the first is the default.
    pub const ORDER: [&'static str; 14] = [
        "id",
        "recipe_id",
        "bakery_id",
        "feedstock_id",
        "head_sha",
        "version",
        "started_at",
        "completed_at",
        "conclusion",
        "status",
        "is_test",
        "dataset_type",
        "dataset_public_url",
        "message",
    ];

    fn read(row: Columns) -> Result<Self, Error> {
        Ok(Self {
            recipe_id: row.0,
            bakery_id: row.1,
            feedstock_id: row.2,
            head_sha: row.3,
            version: row.4,
            started_at: row.5,
            completed_at: row.6,
            conclusion: row.7.as_deref().map(Conclusion::read).transpose()?,
            status: RunStatus::read(&row.8)?,
            is_test: row.9,
            dataset_type: row.10.as_deref().map(DatasetType::read).transpose()?,
            dataset_public_url: row.11,
            message: row.12,
            id: row.13,
        })
    }
}

impl NewRecipeRun {
    /// A test run that waits for its `/run`.
    pub fn queued_test(
        recipe_id: String,
        feedstock_id: i64,
        bakery_id: i64,
        head_sha: &str,
        pr_number: i64,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            recipe_id,
            bakery_id,
            feedstock_id,
            head_sha: head_sha.to_owned(),
            version: String::new(),
            started_at: now,
            completed_at: None,
            conclusion: None,
            status: RunStatus::Queued,
            is_test: true,
            dataset_type: Some(DatasetType::Zarr),
            dataset_public_url: None,
            message: None,
            pr_number: Some(pr_number),
        }
    }
}

const INSERT: &str = "INSERT INTO recipe_runs (recipe_id, bakery_id, feedstock_id, head_sha, version, started_at, \
     completed_at, conclusion, status, is_test, dataset_type, dataset_public_url, message, pr_number) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

/// Adds a run.
///
/// # Errors
/// [`Error::Conflict`] when this recipe has a run at this commit, [`Error::ForeignKey`] when the
/// feedstock or bakery is missing, or when the database refuses.
pub async fn insert(db: &Db, new: &NewRecipeRun) -> Result<RecipeRun, Error> {
    write(db, new, "").await
}

/// Adds a run, or finds the one that this recipe has at this commit, unchanged but for a pull
/// request that was not known yet.
///
/// # Errors
/// [`Error::ForeignKey`] when the feedstock or bakery is missing, or when the database refuses.
pub async fn upsert(db: &Db, new: &NewRecipeRun) -> Result<RecipeRun, Error> {
    let found = "ON CONFLICT (feedstock_id, head_sha, recipe_id, is_test) \
                 DO UPDATE SET pr_number = COALESCE(recipe_runs.pr_number, excluded.pr_number)";
    write(db, new, found).await
}

async fn write(db: &Db, new: &NewRecipeRun, on_conflict: &str) -> Result<RecipeRun, Error> {
    let sql = format!("{INSERT} {on_conflict} RETURNING {}", columns!());
    let row = on!(w db, |pool| {
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(&new.recipe_id)
            .bind(new.bakery_id)
            .bind(new.feedstock_id)
            .bind(&new.head_sha)
            .bind(&new.version)
            .bind(new.started_at)
            .bind(new.completed_at)
            .bind(new.conclusion.map(Conclusion::as_str))
            .bind(new.status.as_str())
            .bind(new.is_test)
            .bind(new.dataset_type.map(DatasetType::as_str))
            .bind(&new.dataset_public_url)
            .bind(&new.message)
            .bind(new.pr_number)
            .fetch_one(pool)
            .await
    });
    RecipeRun::read(row?)
}

/// A page of those runs that fulfil all of `conditions`.
///
/// # Errors
/// When the database refuses.
pub async fn list(db: &Db, page: &Page, conditions: &[Condition]) -> Result<Vec<RecipeRun>, Error> {
    let rows: Vec<Columns> =
        super::page(db, concat!("SELECT ", columns!(), " FROM recipe_runs"), page, conditions).await?;
    rows.into_iter().map(RecipeRun::read).collect()
}

/// One run.
///
/// # Errors
/// When the database refuses.
pub async fn get(db: &Db, id: i64) -> Result<Option<RecipeRun>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM recipe_runs WHERE id = $1");
    let row: Option<Columns> = on!(r db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    row.map(RecipeRun::read).transpose()
}

/// The newest [`EMBEDDED`] runs of a feedstock, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_feedstock(db: &Db, feedstock_id: i64) -> Result<Vec<RecipeRun>, Error> {
    newest(db, Condition { column: "feedstock_id", value: Value::Integer(feedstock_id) }).await
}

/// The newest [`EMBEDDED`] runs at a bakery, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn of_bakery(db: &Db, bakery_id: i64) -> Result<Vec<RecipeRun>, Error> {
    newest(db, Condition { column: "bakery_id", value: Value::Integer(bakery_id) }).await
}

/// The test runs of a feedstock at a commit, in the order of their recipes' listing.
///
/// # Errors
/// When the database refuses.
pub async fn tests_at(db: &Db, feedstock_id: i64, head_sha: &str) -> Result<Vec<RecipeRun>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM recipe_runs WHERE feedstock_id = $1 AND head_sha = $2 AND is_test ORDER BY id"
    );
    let rows: Vec<Columns> =
        on!(r db, |pool| sqlx::query_as(sql).bind(feedstock_id).bind(head_sha).fetch_all(pool).await)?;
    rows.into_iter().map(RecipeRun::read).collect()
}

async fn newest(db: &Db, parent: Condition) -> Result<Vec<RecipeRun>, Error> {
    let page = Page { offset: 0, limit: EMBEDDED, order_by: "id", descending: true, after: None };
    let mut runs = list(db, &page, &[parent]).await?;
    runs.reverse();
    Ok(runs)
}

/// The runs of a recipe at a commit of the feedstock `spec`, production first.
///
/// # Errors
/// When the database refuses.
pub async fn at_commit(db: &Db, spec: &str, head_sha: &str, recipe_id: &str) -> Result<Vec<RecipeRun>, Error> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM recipe_runs WHERE feedstock_id = (SELECT f.id FROM feedstocks f WHERE f.spec = $1) \
         AND head_sha = $2 AND recipe_id = $3 ORDER BY is_test"
    );
    if [spec, head_sha, recipe_id].iter().any(|text| text.contains('\0')) {
        // No column holds a NUL, and PostgreSQL does not even compare with one.
        return Ok(Vec::new());
    }
    let rows: Vec<Columns> =
        on!(r db, |pool| sqlx::query_as(sql).bind(spec).bind(head_sha).bind(recipe_id).fetch_all(pool).await)?;
    rows.into_iter().map(RecipeRun::read).collect()
}

/// Changes what is given. `None` when there is no such run.
///
/// # Errors
/// As [`insert`].
pub async fn update(db: &Db, id: i64, change: &RecipeRunChange) -> Result<Option<RecipeRun>, Error> {
    // A column that may be NULL has a flag for "write it" beside its value.
    let sql = concat!(
        "UPDATE recipe_runs SET recipe_id = COALESCE($2, recipe_id), bakery_id = COALESCE($3, bakery_id), ",
        "feedstock_id = COALESCE($4, feedstock_id), head_sha = COALESCE($5, head_sha), ",
        "version = COALESCE($6, version), started_at = COALESCE($7, started_at), status = COALESCE($8, status), ",
        "is_test = COALESCE($9, is_test), ",
        "completed_at = CASE WHEN $10 THEN $11 ELSE completed_at END, ",
        "conclusion = CASE WHEN $12 THEN $13 ELSE conclusion END, ",
        "dataset_type = CASE WHEN $14 THEN $15 ELSE dataset_type END, ",
        "dataset_public_url = CASE WHEN $16 THEN $17 ELSE dataset_public_url END, ",
        "message = CASE WHEN $18 THEN $19 ELSE message END ",
        "WHERE id = $1 RETURNING ",
        columns!()
    );
    let row: Option<Columns> = on!(w db, |pool| {
        sqlx::query_as(sql)
            .bind(id)
            .bind(&change.recipe_id)
            .bind(change.bakery_id)
            .bind(change.feedstock_id)
            .bind(&change.head_sha)
            .bind(&change.version)
            .bind(change.started_at)
            .bind(change.status.map(RunStatus::as_str))
            .bind(change.is_test)
            .bind(change.completed_at.is_some())
            .bind(change.completed_at.flatten())
            .bind(change.conclusion.is_some())
            .bind(change.conclusion.flatten().map(Conclusion::as_str))
            .bind(change.dataset_type.is_some())
            .bind(change.dataset_type.flatten().map(DatasetType::as_str))
            .bind(change.dataset_public_url.is_some())
            .bind(change.dataset_public_url.as_ref().and_then(Option::as_ref))
            .bind(change.message.is_some())
            .bind(change.message.as_ref().and_then(Option::as_ref))
            .fetch_optional(pool)
            .await
    })?;
    row.map(RecipeRun::read).transpose()
}

/// Deletes a run. `false` when there is none.
///
/// # Errors
/// When the database refuses.
pub async fn delete(db: &Db, id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM recipe_runs WHERE id = $1";
    let deleted = on!(w db, |pool| sqlx::query(sql).bind(id).execute(pool).await.map(|done| done.rows_affected()));
    Ok(deleted? > 0)
}

/// How many there are.
///
/// # Errors
/// When the database refuses.
pub async fn count(db: &Db) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM recipe_runs";
    Ok(on!(r db, |pool| sqlx::query_scalar(sql).fetch_one(pool).await)?)
}

/// The datasets of a feedstock behind the run `after`, oldest first, at most `limit`: all, or only
/// tests (`Some(true)`), or only production (`Some(false)`).
///
/// # Errors
/// When the database refuses.
pub async fn datasets(
    db: &Db,
    feedstock_id: i64,
    is_test: Option<bool>,
    after: i64,
    limit: i64,
) -> Result<Vec<Dataset>, Error> {
    let sql = "SELECT id, recipe_id, feedstock_id, is_test, dataset_type, dataset_public_url FROM recipe_runs \
               WHERE feedstock_id = $1 AND dataset_public_url IS NOT NULL AND status = 'completed' \
               AND conclusion = 'success' AND is_test = COALESCE($2, is_test) AND id > $3 ORDER BY id LIMIT $4";
    let rows: Vec<(i64, String, i64, bool, Option<String>, String)> = on!(r db, |pool| {
        sqlx::query_as(sql).bind(feedstock_id).bind(is_test).bind(after).bind(limit).fetch_all(pool).await
    })?;
    rows.into_iter()
        .map(|(id, recipe_id, feedstock_id, is_test, dataset_type, dataset_public_url)| {
            let dataset_type = dataset_type.as_deref().map(DatasetType::read).transpose()?;
            Ok(Dataset { id, recipe_id, feedstock_id, is_test, dataset_type, dataset_public_url })
        })
        .collect()
}

/// How many runs have a dataset; with `production`, only successful ones that are not tests.
///
/// # Errors
/// When the database refuses.
pub async fn count_datasets(db: &Db, production: bool) -> Result<i64, Error> {
    let sql = if production {
        "SELECT count(*) FROM recipe_runs WHERE dataset_public_url IS NOT NULL AND NOT is_test \
         AND status = 'completed' AND conclusion = 'success'"
    } else {
        "SELECT count(*) FROM recipe_runs WHERE dataset_public_url IS NOT NULL"
    };
    Ok(on!(r db, |pool| sqlx::query_scalar(sql).fetch_one(pool).await)?)
}
