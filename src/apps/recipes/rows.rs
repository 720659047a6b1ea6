//! The recipes app's tables, as SQL.

pub mod bakeries;
pub mod feedstocks;
pub mod recipe_runs;
mod words;

pub use self::words::{Conclusion, DatasetType, Provider, RunStatus};
use crate::apps::http_api::Page;

/// `ORDER BY … LIMIT $1 OFFSET $2`, to be bound with the page's limit and offset.
///
/// Both databases put NULL last in ascending order, and ties are broken by id, so that pages
/// neither overlap nor leave gaps.
fn page_clause(page: &Page) -> String {
    let Page { order_by, .. } = page;
    if page.descending {
        format!("ORDER BY {order_by} DESC NULLS FIRST, id DESC LIMIT $1 OFFSET $2")
    } else {
        format!("ORDER BY {order_by} ASC NULLS LAST, id ASC LIMIT $1 OFFSET $2")
    }
}
