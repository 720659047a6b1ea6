//! Pages of lists that grow while they are read: newest first, continued below a row.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::apps::http_api::{ApiError, Pairs};

/// Most rows of one page.
const LIMIT_MAX: i64 = 1000;
const LIMIT_DEFAULT: i64 = 100;

/// One page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Listing<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Give this as `after` to get the next page; null on the last.
    pub next: Option<String>,
}

/// Which page is wanted.
pub struct Wanted {
    /// Only rows with an id below.
    pub before: Option<i64>,
    limit: u32,
}

impl Wanted {
    /// Reads `limit` (1 to 1000, default 100) and `after`.
    ///
    /// # Errors
    /// 422 when one is not valid.
    pub fn read(query: &Pairs) -> Result<Self, ApiError> {
        let limit = query.integer("limit", LIMIT_DEFAULT, 1..=LIMIT_MAX)?;
        let before = query.get("after").map(decode).transpose()?;
        Ok(Self { before, limit: u32::try_from(limit).unwrap_or(u32::MAX) })
    }

    /// How many rows to ask for: one more than the page holds, to know whether there is a next.
    pub fn rows(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// The page of up to [`Self::rows`] rows, whose ids `id` tells.
    pub fn page<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> i64) -> Listing<T> {
        let size = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|row| encode(id(row)));
        Listing { items: rows, next }
    }

    /// As [`Self::page`], of a search that looked at rows down to `reached` and no further.
    pub fn page_to<T>(&self, rows: Vec<T>, reached: Option<i64>, id: impl Fn(&T) -> i64) -> Listing<T> {
        let mut page = self.page(rows, id);
        page.next = page.next.or_else(|| reached.map(encode));
        page
    }
}

fn encode(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("v1:{id}"))
}

fn decode(cursor: &str) -> Result<i64, ApiError> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_prefix("v1:")?.parse().ok()
    };
    read().ok_or_else(|| ApiError::invalid(&["query", "after"], "not a cursor of this list", "value_error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_and_nonsense_is_refused() {
        for id in [0, 1, i64::MAX] {
            assert_eq!(decode(&encode(id)).expect("own cursor"), id);
        }
        for text in ["", "1", "djE6", "djE6eA", "ä"] {
            assert!(decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_full_page_with_more_behind_it_has_a_next() {
        let wanted = Wanted { before: None, limit: 2 };
        let page = wanted.page(vec![9, 8, 7], |id| *id);
        assert_eq!((page.items, page.next), (vec![9, 8], Some(encode(8))));
        let page = wanted.page(vec![9, 8], |id| *id);
        assert_eq!((page.items.len(), page.next), (2, None));
    }
}
