//! The connection: one enum over two databases.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, SqlitePool};

use super::error::Error;

/// How long a query waits for a free or new PostgreSQL connection: an outage must show quickly.
const PG_ACQUIRE: Duration = Duration::from_secs(2);
/// How long a SQLite statement waits for another process's write to end.
const BUSY: Duration = Duration::from_secs(10);
/// Prepared statements that a connection keeps: the group-committing writer has one per batch size.
const STATEMENTS: usize = 256;
/// The writer's page cache, in KiB as a negative number: the index of GUIDs is hit at random.
const CACHE: &str = "-16000";
/// Between two attempts to reach a server that is not there yet.
const RECONNECT: Duration = Duration::from_millis(100);

/// Where the database is: `sqlite:///abs/path`, `sqlite:rel/path`, `sqlite::memory:`,
/// `postgres://…` or `postgresql://…`.
///
/// `Debug` and `Display` never show the password.
#[derive(Clone)]
pub struct DatabaseUrl(Place);

#[derive(Clone)]
enum Place {
    Memory,
    File(PathBuf),
    Postgres { options: Box<PgConnectOptions>, shown: String },
}

/// Which SQL is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// An open database. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// SQLite: one connection that writes, several that read.
    Lite {
        /// The one writer.
        w: SqlitePool,
        /// Readers, opened read-only. In memory: the writer itself.
        r: SqlitePool,
    },
    /// PostgreSQL.
    Pg(PgPool),
}

/// Runs the same code on whichever database is open: `on!(r db, |pool| …)` on a reader,
/// `on!(w db, |pool| …)` on the writer. The code is compiled once for each.
macro_rules! on {
    (r $db:expr, |$pool:ident| $body:expr) => {
        match $db {
            $crate::store::Db::Lite { r: $pool, .. } => $body,
            $crate::store::Db::Pg($pool) => $body,
        }
    };
    (w $db:expr, |$pool:ident| $body:expr) => {
        match $db {
            $crate::store::Db::Lite { w: $pool, .. } => $body,
            $crate::store::Db::Pg($pool) => $body,
        }
    };
}
pub(crate) use on;

impl DatabaseUrl {
    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self.0 {
            Place::Memory | Place::File(_) => Dialect::Sqlite,
            Place::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// The file of a SQLite database.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::File(path) => Some(path),
            Place::Memory | Place::Postgres { .. } => None,
        }
    }

    /// Name of a PostgreSQL database, where the URL says it.
    pub fn name(&self) -> Option<&str> {
        self.postgres()?.get_database()
    }

    /// How a PostgreSQL server is reached.
    pub(super) fn postgres(&self) -> Option<&PgConnectOptions> {
        match &self.0 {
            Place::Postgres { options, .. } => Some(options),
            Place::Memory | Place::File(_) => None,
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            return sqlite_place(rest).map(Self);
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return postgres_place(text).map(Self);
        }
        // The text itself may hold a password: name its scheme only.
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let found =
            if scheme.is_empty() || scheme.len() > 20 { "this one has none".into() } else { format!("not {scheme:?}") };
        Err(Error::Url(format!("a database URL begins with sqlite:, postgres:// or postgresql://; {found}")))
    }
}

fn sqlite_place(rest: &str) -> Result<Place, Error> {
    let refuse = |why: &str| {
        Err(Error::Url(format!("{why}; write sqlite:///absolute/path, sqlite:relative/path or sqlite::memory:")))
    };
    if rest == ":memory:" {
        return Ok(Place::Memory);
    }
    if rest.contains('?') {
        return refuse("a sqlite URL takes no parameters");
    }
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => return refuse("a sqlite URL names no host"),
        None => rest,
    };
    if path.is_empty() || path.ends_with('/') {
        return refuse("the sqlite URL names no file");
    }
    Ok(Place::File(PathBuf::from(path)))
}

fn postgres_place(text: &str) -> Result<Place, Error> {
    let url = url::Url::parse(text).map_err(|e| Error::Url(format!("the postgres URL cannot be parsed: {e}")))?;
    let mut options = PgConnectOptions::from_url(&url)
        .map_err(|_| Error::Url("the postgres URL has parameters that cannot be used".into()))?;
    if options.get_application_name().is_none() {
        options = options.application_name("pforge");
    }
    // Behind PgBouncer one has to say 0.
    if !url.query_pairs().any(|(name, _)| name == "statement-cache-capacity") {
        options = options.statement_cache_capacity(STATEMENTS);
    }
    let mut shown = url;
    // Parameters may carry secrets too.
    shown.set_query(None);
    if shown.password().is_some() && shown.set_password(Some("***")).is_err() {
        shown.set_path("");
    }
    Ok(Place::Postgres { options: Box::new(options), shown: shown.to_string() })
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Memory => f.write_str("sqlite::memory:"),
            Place::File(path) if path.is_absolute() => write!(f, "sqlite://{}", path.display()),
            Place::File(path) => write!(f, "sqlite:{}", path.display()),
            Place::Postgres { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl Db {
    /// Opens the database, creating a SQLite file that is not there. Does not migrate.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be reached within `timeout`; [`Error::Url`] when the
    /// folder of a SQLite file is missing; [`Error::Other`] when the server refuses the login.
    pub async fn connect(url: &DatabaseUrl, timeout: Duration) -> Result<Self, Error> {
        let opening = async {
            match &url.0 {
                Place::Memory => open_memory().await,
                Place::File(path) => open_file(path).await,
                Place::Postgres { options, .. } => open_postgres(options).await,
            }
        };
        tokio::time::timeout(timeout, opening)
            .await
            .unwrap_or_else(|_| Err(Error::Unavailable(format!("{url} did not answer within {timeout:?}"))))
    }

    /// Opens a database that somebody else keeps, to look and not to change anything.
    ///
    /// # Errors
    /// As [`Db::connect`], and [`Error::Unavailable`] for a SQLite file that is not there.
    pub async fn look(url: &DatabaseUrl, timeout: Duration) -> Result<Self, Error> {
        let opening = async {
            match &url.0 {
                Place::Memory => Err(Error::Url("a database in memory is only seen by the process that has it".into())),
                Place::File(path) => look_into_file(path).await,
                Place::Postgres { options, .. } => {
                    open_postgres(&options.as_ref().clone().options([("default_transaction_read_only", "on")])).await
                }
            }
        };
        tokio::time::timeout(timeout, opening)
            .await
            .unwrap_or_else(|_| Err(Error::Unavailable(format!("{url} did not answer within {timeout:?}"))))
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Lite { .. } => Dialect::Sqlite,
            Self::Pg(_) => Dialect::Postgres,
        }
    }

    /// Whether a trivial query is answered.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when not.
    pub async fn ping(&self) -> Result<(), Error> {
        on!(r self, |pool| sqlx::query("SELECT 1").execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Closes every connection; on SQLite this checkpoints the write-ahead log.
    pub async fn close(&self) {
        match self {
            // The writer last: only the last connection of all checkpoints and removes the log.
            Self::Lite { w, r } => {
                r.close().await;
                w.close().await;
            }
            Self::Pg(pool) => pool.close().await,
        }
    }

    /// The statement that begins a transaction which is going to write: SQLite must take its write
    /// lock at once, for a lock that is upgraded later fails instead of waiting.
    pub(crate) fn begin_writing(&self) -> &'static str {
        match self {
            Self::Lite { .. } => "BEGIN IMMEDIATE",
            Self::Pg(_) => "BEGIN",
        }
    }
}

fn lite_options() -> SqliteConnectOptions {
    SqliteConnectOptions::new().foreign_keys(true).busy_timeout(BUSY).statement_cache_capacity(STATEMENTS)
}

async fn open_memory() -> Result<Db, Error> {
    let options = SqliteConnectOptions::from_str("sqlite::memory:")?.foreign_keys(true);
    // The database lives as long as its one connection: never let the pool replace it.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    Ok(Db::Lite { w: pool.clone(), r: pool })
}

async fn open_file(path: &Path) -> Result<Db, Error> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(Error::Url(format!("the folder of the database, {}, does not exist", folder.display())));
    }
    let writer = lite_options()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", CACHE);
    let pool = |size| {
        SqlitePoolOptions::new().max_connections(size).idle_timeout(None).max_lifetime(None).test_before_acquire(false)
    };
    let w = pool(1).acquire_timeout(BUSY + Duration::from_secs(5)).connect_with(writer).await?;
    let r = pool(4).acquire_timeout(BUSY).connect_lazy_with(lite_options().filename(path).read_only(true));
    Ok(Db::Lite { w, r })
}

async fn look_into_file(path: &Path) -> Result<Db, Error> {
    let options = lite_options().filename(path).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(2).acquire_timeout(BUSY).connect_with(options).await?;
    Ok(Db::Lite { w: pool.clone(), r: pool })
}

async fn open_postgres(options: &PgConnectOptions) -> Result<Db, Error> {
    let db =
        Db::Pg(PgPoolOptions::new().max_connections(8).acquire_timeout(PG_ACQUIRE).connect_lazy_with(options.clone()));
    loop {
        match db.ping().await {
            // Not there yet, or starting: the caller's timeout ends this.
            Err(Error::Unavailable(_)) => tokio::time::sleep(RECONNECT).await,
            other => return other.map(|()| db),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<DatabaseUrl>().map_or_else(|e| format!("error: {e}"), |url| url.to_string())
    }

    #[test]
    fn urls_are_understood_and_shown_without_password() {
        for (text, expected) in [
            ("sqlite:///var/lib/pforge/db.sqlite", "sqlite:///var/lib/pforge/db.sqlite"),
            ("sqlite:data/db.sqlite", "sqlite:data/db.sqlite"),
            ("sqlite::memory:", "sqlite::memory:"),
            (
                "postgres://me:hunter2@db.example:5433/pforge?sslmode=require",
                "postgres://me:***@db.example:5433/pforge",
            ),
            ("postgresql://me@localhost/pforge", "postgresql://me@localhost/pforge"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn anything_else_is_refused_without_repeating_it() {
        for text in [
            "",
            "mysql://me:hunter2@h/d",
            "/var/db.sqlite",
            "sqlite:",
            "sqlite://host/db",
            "sqlite:a?mode=ro",
            "hunter2",
        ] {
            let error = shown(text);
            assert!(error.starts_with("error: "), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let url: DatabaseUrl = "postgres://me:hunter2@h/d?password=hunter2".parse().expect("url");
        assert!(!format!("{url:?}{url}").contains("hunter2"));
    }
}
