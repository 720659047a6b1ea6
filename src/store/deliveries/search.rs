//! Text in payloads. They are stored compressed, so the rows that the other conditions leave are
//! opened one after the other, newest first, up to a bound.

use std::collections::HashSet;

use sqlx::QueryBuilder;

use super::super::content::Content;
use super::super::db::{Db, on};
use super::super::error::Error;
use super::{DeliveryFilter, DeliveryRow, list};

/// Rows that one search opens at most; the next one goes on where it ended.
pub const OPENED: u32 = 20_000;
/// Rows that are opened together.
const BATCH: u32 = 200;

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// The rows whose payload holds the text, newest first.
    pub rows: Vec<DeliveryRow>,
    /// The last row that was looked at, when there may be more below it.
    pub reached: Option<i64>,
}

/// Deliveries whose payload holds `text`, the case of ASCII letters aside, newest first. Looks at up
/// to [`OPENED`] rows of `filter`, and ends early with `filter.limit` found.
///
/// # Errors
/// When the database refuses or stored bytes do not decompress.
pub async fn search(db: &Db, filter: &DeliveryFilter, text: &str) -> Result<Found, Error> {
    let wanted = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let needle = text.to_ascii_lowercase().into_bytes();
    let mut next = DeliveryFilter { limit: BATCH, ..filter.clone() };
    let mut rows = Vec::new();
    let mut opened = 0;
    loop {
        let batch = list(db, &next).await?;
        let end = batch.len() < BATCH as usize;
        let holding = holding(db, &batch, &needle).await?;
        for row in batch {
            next.before = Some(row.id);
            if holding.contains(&row.id) {
                rows.push(row);
                if rows.len() == wanted {
                    return Ok(Found { rows, reached: next.before });
                }
            }
        }
        opened += BATCH;
        if end {
            return Ok(Found { rows, reached: None });
        }
        if opened >= OPENED {
            return Ok(Found { rows, reached: next.before });
        }
    }
}

/// The ids of those rows whose payload holds `needle`, which is in lower case.
async fn holding(db: &Db, rows: &[DeliveryRow], needle: &[u8]) -> Result<HashSet<i64>, Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let contents: Vec<(i64, i64, i64, bool, Vec<u8>)> = on!(r db, |pool| {
        let mut sql = QueryBuilder::new("SELECT id, size, head_size, compressed, content FROM deliveries WHERE id IN (");
        let mut ids = sql.separated(", ");
        for row in rows {
            ids.push_bind(row.id);
        }
        sql.push(")");
        sql.build_query_as().fetch_all(pool).await
    })?;
    let needle = needle.to_vec();
    // Opening is work for the processor: it must not hold up what else is served.
    let opening = tokio::task::spawn_blocking(move || {
        let mut found = HashSet::new();
        for (id, size, head_size, compressed, bytes) in contents {
            let (_, body) = Content { head_size, size, compressed, bytes }.unpack()?;
            if holds(&body, &needle) {
                found.insert(id);
            }
        }
        Ok(found)
    });
    opening.await.map_err(|error| Error::Other(format!("a search failed: {error}")))?
}

/// Whether `needle`, in lower case, is somewhere in `body`, the case of ASCII letters aside.
fn holds(body: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let (lower, upper) = (*first, first.to_ascii_uppercase());
    let mut from = 0;
    while let Some(at) = body[from..].iter().position(|byte| *byte == lower || *byte == upper) {
        from += at + 1;
        let Some(candidate) = body.get(from..from + rest.len()) else { return false };
        if candidate.eq_ignore_ascii_case(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn text_is_found_whatever_its_case() {
        for (body, needle, expected) in [
            ("", "", true),
            ("", "a", false),
            ("xA", "a", true),
            ("aab", "ab", true),
            ("{\"Title\": \"Fix ÄB\"}", "fix Äb", true),
            ("abab", "abc", false),
            ("ab", "abc", false),
        ] {
            assert_eq!(holds(body.as_bytes(), needle.as_bytes()), expected, "{needle:?} in {body:?}");
        }
    }
}
