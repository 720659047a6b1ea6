//! What can go wrong in the database.

use sqlx::error::ErrorKind;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `DATABASE_URL` cannot be used; the text never holds the password.
    #[error("{0}")]
    Url(String),
    /// A unique constraint refused the row. The name is the constraint's or the columns'.
    #[error("already there: {0}")]
    Conflict(String),
    /// A foreign key refused the change: what it points to is missing, or something points to it.
    #[error("still in use, or refers to something that does not exist: {0}")]
    ForeignKey(String),
    /// The database cannot be reached or is too busy. Trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Schema trouble: drift, a newer database, a broken migration, a lock that was not freed.
    #[error(transparent)]
    Migrate(#[from] super::migrate::MigrateError),
    /// Anything else; a bug or a damaged database.
    #[error("database: {0}")]
    Other(String),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => classify(database.as_ref()),
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection became free in time".into()),
            sqlx::Error::PoolClosed => Self::Unavailable("it was closed".into()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

fn classify(error: &dyn sqlx::error::DatabaseError) -> Error {
    // SQLite names the columns in its message only: "UNIQUE constraint failed: jobs.token".
    let name = || match error.constraint() {
        Some(constraint) => constraint.to_owned(),
        None => error.message().split_once(": ").map_or(error.message(), |(_, columns)| columns).to_owned(),
    };
    match error.kind() {
        ErrorKind::UniqueViolation => Error::Conflict(name()),
        ErrorKind::ForeignKeyViolation => Error::ForeignKey(name()),
        _ if error.code().is_some_and(|code| passes(&code)) => Error::Unavailable(error.message().to_owned()),
        _ => Error::Other(error.message().to_owned()),
    }
}

/// Whether the state that this code names may pass by itself.
///
/// PostgreSQL's SQLSTATE has five characters; SQLite's extended result code is a shorter number,
/// or a longer one, whose low byte is the primary code.
fn passes(code: &str) -> bool {
    if code.len() == 5 {
        // connection, conflict between transactions, resources, intervention, system; read-only
        // after a failover; lock not available.
        return matches!(&code[..2], "08" | "40" | "53" | "58")
            || code.starts_with("57P")
            || matches!(code, "25006" | "55P03");
    }
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// Whether two transactions stood in each other's way: the same one may well succeed now.
pub(crate) fn is_collision(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code());
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn states_that_pass_are_told_from_those_that_do_not() {
        for code in ["08006", "40P01", "53300", "53100", "57P01", "57P03", "55P03", "5", "517", "13", "778", "14"] {
            assert!(passes(code), "{code}");
        }
        for code in ["23505", "42P01", "28P01", "22P05", "57014", "1", "11", "2067", "19"] {
            assert!(!passes(code), "{code}");
        }
    }
}
