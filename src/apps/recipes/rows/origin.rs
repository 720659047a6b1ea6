//! The columns of `recipe_runs` that say where a run comes from, and what the app notes in its
//! `message`. The REST API does not show the former.

use serde_json::{Map, Value};

use crate::store::db::on;
use crate::store::{Db, Error};

/// Where the commit of a run is, and where it is told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Page of the repository that holds the commit: a fork's for most pull requests.
    pub repo_html_url: Option<String>,
    /// Folder of the feedstock when it is not `feedstock`, such as `recipes/gpcp`.
    pub feedstock_subdir: Option<String>,
    /// The App's installation on the feedstock's repository.
    pub installation_id: Option<i64>,
    /// The pull request that a test belongs to.
    pub pr_number: Option<i64>,
    /// The recipe's own check run on the commit.
    pub check_run_id: Option<i64>,
}

/// Where a run comes from; `None` when there is no such run.
///
/// # Errors
/// When the database refuses.
pub async fn get(db: &Db, run: i64) -> Result<Option<Origin>, Error> {
    let sql = "SELECT repo_html_url, feedstock_subdir, installation_id, pr_number, check_run_id \
         FROM recipe_runs WHERE id = $1";
    type Row = (Option<String>, Option<String>, Option<i64>, Option<i64>, Option<i64>);
    let row: Option<Row> = on!(r db, |pool| sqlx::query_as(sql).bind(run).fetch_optional(pool).await)?;
    Ok(row.map(|(repo_html_url, feedstock_subdir, installation_id, pr_number, check_run_id)| Origin {
        repo_html_url,
        feedstock_subdir,
        installation_id,
        pr_number,
        check_run_id,
    }))
}

/// Writes what is given; what is `None` stays as it is.
///
/// # Errors
/// When the database refuses.
pub async fn set(db: &Db, run: i64, origin: &Origin) -> Result<(), Error> {
    let sql = "UPDATE recipe_runs SET repo_html_url = COALESCE($2, repo_html_url), \
         feedstock_subdir = COALESCE($3, feedstock_subdir), installation_id = COALESCE($4, installation_id), \
         pr_number = COALESCE($5, pr_number), check_run_id = COALESCE($6, check_run_id) WHERE id = $1";
    on!(w db, |pool| {
        sqlx::query(sql)
            .bind(run)
            .bind(&origin.repo_html_url)
            .bind(&origin.feedstock_subdir)
            .bind(origin.installation_id)
            .bind(origin.pr_number)
            .bind(origin.check_run_id)
            .execute(pool)
            .await?;
    });
    Ok(())
}

/// Notes `values` in the run's `message`, which holds a JSON object where this app writes it
/// (`deployment_id`, `environment_url`, `job_name`, `job_id`, `trace`). A value of null takes its
/// name out; free text that stood there is kept as `text`.
///
/// # Errors
/// When the database refuses.
pub async fn note(db: &Db, run: i64, values: &[(&str, Value)]) -> Result<(), Error> {
    let read = "SELECT message FROM recipe_runs WHERE id = $1";
    let write = "UPDATE recipe_runs SET message = $2 WHERE id = $1";
    on!(w db, |pool| {
        let mut tx = pool.begin_with(db.begin_writing()).await?;
        let message: Option<Option<String>> = sqlx::query_scalar(read).bind(run).fetch_optional(&mut *tx).await?;
        let mut object = parse(message.flatten());
        for (name, value) in values {
            if value.is_null() {
                object.remove(*name);
            } else {
                object.insert((*name).to_owned(), value.clone());
            }
        }
        sqlx::query(write).bind(run).bind(Value::Object(object).to_string()).execute(&mut *tx).await?;
        tx.commit().await?;
    });
    Ok(())
}

/// What [`note`] noted.
pub fn notes(message: Option<&str>) -> Map<String, Value> {
    parse(message.map(str::to_owned))
}

fn parse(message: Option<String>) -> Map<String, Value> {
    match message.as_deref().map(serde_json::from_str) {
        Some(Ok(Value::Object(object))) => object,
        _ => message.filter(|text| !text.is_empty()).map(|text| ("text".to_owned(), text.into())).into_iter().collect(),
    }
}
