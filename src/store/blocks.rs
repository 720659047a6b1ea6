//! Where to look for rows that are filtered by what they are about.
//!
//! PostgreSQL has an index for each filter. On SQLite the tables `delivery_block_terms` and
//! `job_block_terms` say which values are among the rows of each block of ids: only blocks that have
//! all that is wanted are looked into, from the newest.

use sqlx::{Database, Encode, QueryBuilder, Type};

use super::db::Db;
use super::nul;

/// Ids of a block: those that are equal when divided by it. The migration has the same number.
const SIZE: i64 = 1024;

/// Which blocks are looked into.
pub(super) struct Blocks {
    /// Of what: `delivery` or `job`.
    of: &'static str,
    /// What each of them has; all blocks without a term.
    terms: Vec<String>,
    /// The first and the last.
    first: i64,
    last: i64,
}

impl Blocks {
    /// Those of the table of each `of` that can have rows with all of `values` (a column and its
    /// value), with an id from `first` on and below `end`. Give the rarest value first.
    pub(super) fn new(
        db: &Db,
        of: &'static str,
        values: &[(&str, &Option<String>)],
        first: i64,
        end: Option<i64>,
    ) -> Self {
        let given = values.iter().filter(|_| matches!(db, Db::Lite { .. }));
        let terms = given.filter_map(|(column, value)| Some(format!("{column}:{}", nul::text(value.as_deref()?))));
        Self { of, terms: terms.collect(), first: first / SIZE, last: end.unwrap_or(i64::MAX) / SIZE }
    }

    /// What stands behind `FROM`, up to `WHERE` and a first condition: `table` with the alias `d`, read
    /// as `searched` says where blocks of it are looked into.
    pub(super) fn push_from<'a, DB: Database>(&self, sql: &mut QueryBuilder<DB>, table: &str, searched: &str)
    where
        i64: Encode<'a, DB> + Type<DB> + 'a,
        String: Encode<'a, DB> + Type<DB> + 'a,
    {
        if self.terms.is_empty() {
            sql.push(format!("{table} d WHERE true"));
            return;
        }
        // CROSS: in this order. The planner knows no sizes.
        let of = self.of;
        sql.push(format!("{of}_blocks b"));
        for (number, term) in self.terms.iter().enumerate() {
            sql.push(format!(
                " CROSS JOIN {of}_block_terms t{number} ON t{number}.block = b.block AND t{number}.term = "
            ));
            sql.push_bind(term.clone());
        }
        sql.push(format!(
            " CROSS JOIN {table} d {searched} ON d.id >= b.block * {SIZE} AND d.id < (b.block + 1) * {SIZE} \
             WHERE b.block >= "
        ));
        sql.push_bind(self.first).push(" AND b.block <= ").push_bind(self.last);
    }

    /// Newest first, in a form that needs no sorting.
    pub(super) fn push_order<DB: Database>(&self, sql: &mut QueryBuilder<DB>) {
        sql.push(if self.terms.is_empty() { " ORDER BY d.id DESC" } else { " ORDER BY b.block DESC, d.id DESC" });
    }
}
