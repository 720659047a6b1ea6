//! The recipes app's tables, as SQL.

pub mod attempts;
pub mod bakeries;
pub mod feedstocks;
pub mod logs;
pub mod origin;
pub mod recipe_runs;
mod words;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};

pub use self::words::{Conclusion, DatasetType, Provider, RunStatus};
use crate::apps::http_api::Page;
use crate::apps::http_api::filter::{Condition, Value};
use crate::store::db::on;
use crate::store::{Db, Error};

/// The rows of `select` (`SELECT … FROM …`) that fulfil all of `conditions`, as `page` says.
async fn page<R>(db: &Db, select: &str, page: &Page, conditions: &[Condition]) -> Result<Vec<R>, Error>
where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let after = page.after.map(Value::Integer);
    let sql = format!("{select} {}", page_clause(page, conditions));
    Ok(on!(r db, |pool| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(page.limit).bind(page.offset);
        for value in conditions.iter().map(|condition| &condition.value).chain(&after) {
            query = match value {
                Value::Text(text) => query.bind(text.as_str()),
                Value::Integer(number) => query.bind(*number),
                Value::Flag(flag) => query.bind(*flag),
            };
        }
        query.fetch_all(pool).await
    })?)
}

/// `WHERE … ORDER BY … LIMIT $1 OFFSET $2`; the conditions' values are `$3` and so on, and the id
/// to go on from is the last.
///
/// Both databases put NULL last in ascending order, and ties are broken by id, so that pages
/// neither overlap nor leave gaps.
fn page_clause(page: &Page, conditions: &[Condition]) -> String {
    let mut places = 3..;
    let mut place = || places.next().unwrap_or_default();
    let mut tests: Vec<String> = conditions.iter().map(|wanted| format!("{} = ${}", wanted.column, place())).collect();
    let (sense, nulls, beyond) = if page.descending { ("DESC", "FIRST", "<") } else { ("ASC", "LAST", ">") };
    if page.after.is_some() {
        tests.push(format!("id {beyond} ${}", place()));
    }
    let filter = if tests.is_empty() { String::new() } else { format!("WHERE {}", tests.join(" AND ")) };
    let order = match page.order_by {
        "id" => format!("id {sense}"),
        column => format!("{column} {sense} NULLS {nulls}, id {sense}"),
    };
    format!("{filter} ORDER BY {order} LIMIT $1 OFFSET $2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_order_in_which_values_are_bound() {
        let conditions = [
            Condition { column: "status", value: Value::Text("queued".into()) },
            Condition { column: "is_test", value: Value::Flag(true) },
        ];
        let mut page = Page { offset: 0, limit: 2, order_by: "id", descending: true, after: Some(9) };
        assert_eq!(
            page_clause(&page, &conditions),
            "WHERE status = $3 AND is_test = $4 AND id < $5 ORDER BY id DESC LIMIT $1 OFFSET $2"
        );
        (page.order_by, page.descending, page.after) = ("message", false, None);
        assert_eq!(page_clause(&page, &[]), " ORDER BY message ASC NULLS LAST, id ASC LIMIT $1 OFFSET $2");
    }
}
