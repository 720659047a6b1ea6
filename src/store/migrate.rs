//! Schema migrations: embedded, checksummed, locked, reversible.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::db::{Db, on};
use super::error::Error;

mod lock;

use lock::Lock;

/// Both directions of one migration in one dialect.
struct Script {
    up: &'static str,
    down: &'static str,
}

/// A migration as this binary carries it.
struct Migration {
    version: i64,
    name: &'static str,
    sqlite: Script,
    postgres: Script,
}

/// One entry of the list below: its number and the name of its four files.
macro_rules! migration {
    ($version:literal, $file:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: Script {
                up: include_str!(concat!("migrations/sqlite/", $file, ".up.sql")),
                down: include_str!(concat!("migrations/sqlite/", $file, ".down.sql")),
            },
            postgres: Script {
                up: include_str!(concat!("migrations/postgres/", $file, ".up.sql")),
                down: include_str!(concat!("migrations/postgres/", $file, ".down.sql")),
            },
        }
    };
}

/// Every migration, oldest first. Only ever append; an applied one is never edited.
const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_deliveries_and_jobs", "deliveries and jobs"),
    migration!(2, "0002_recipes", "recipes"),
    migration!(3, "0003_job_trace", "job trace"),
    migration!(4, "0004_marks", "marks"),
    migration!(5, "0005_recipe_run_attempts", "recipe run attempts"),
    migration!(6, "0006_listing", "listing"),
];

/// Schema trouble.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// An applied migration was edited since.
    #[error("migration {version} ({name}) was changed after it was applied")]
    Drift {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// The database holds migrations that this binary does not know.
    #[error("the database is at migration {version}, which this pforge does not know")]
    Newer {
        /// The highest unknown number.
        version: i64,
    },
    /// The database lacks migrations that this binary has.
    #[error("{pending} migrations are not applied")]
    Behind {
        /// How many.
        pending: usize,
    },
    /// A migration failed; nothing of it was kept.
    #[error("migration {version} ({name}) failed: {reason}")]
    Failed {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
        /// What the database said.
        reason: String,
    },
    /// Another process holds the lock.
    #[error("another process is migrating and did not finish within {0:?}")]
    Locked(Duration),
    /// A migration cannot be undone.
    #[error("nothing to roll back")]
    NothingApplied,
}

/// One migration as `db status` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MigrationStatus {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// `applied`, `pending`, `changed` (drift) or `unknown` (newer than this binary).
    pub state: &'static str,
    /// When it was applied.
    pub applied_at: Option<DateTime<Utc>>,
}

/// What the migrator tells while it works.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Another process holds the lock; we wait.
    Waiting,
    /// A migration begins.
    Applying {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A migration is done.
    Applied {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
        /// How long it took.
        took: Duration,
    },
}

/// What `schema_migrations` says.
struct Applied {
    version: i64,
    name: String,
    checksum: String,
    applied_at: DateTime<Utc>,
}

impl Migration {
    fn script(&self, db: &Db) -> &Script {
        match db {
            Db::Lite { .. } => &self.sqlite,
            Db::Pg(_) => &self.postgres,
        }
    }

    /// SHA-256 of the up script with `\n` line endings: a checkout on Windows is no edit.
    fn checksum(&self, db: &Db) -> String {
        let text = self.script(db).up.replace("\r\n", "\n");
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
    }

    fn failed(&self, error: sqlx::Error) -> Error {
        match Error::from(error) {
            unavailable @ Error::Unavailable(_) => unavailable,
            other => {
                MigrateError::Failed { version: self.version, name: self.name.to_owned(), reason: other.to_string() }
                    .into()
            }
        }
    }
}

/// Brings the schema to this binary's version. Safe to run from several processes at once: one
/// works, the others wait up to `lock_timeout` and then find nothing to do.
///
/// Returns how many were applied.
///
/// # Errors
/// [`Error::Migrate`] or [`Error::Unavailable`].
pub async fn up(db: &Db, lock_timeout: Duration, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<usize, Error> {
    apply(MIGRATIONS, db, lock_timeout, progress).await
}

/// Undoes the last `steps` migrations, newest first. Returns how many were undone.
///
/// # Errors
/// As [`up`], and [`MigrateError::NothingApplied`].
pub async fn down(
    db: &Db,
    steps: usize,
    lock_timeout: Duration,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<usize, Error> {
    let lock = Lock::take(db, lock_timeout, progress).await?;
    let result = undo(MIGRATIONS, db, steps, progress).await;
    lock.free().await;
    result
}

/// Every migration, known or applied, in order. Takes no lock and changes nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(db: &Db) -> Result<Vec<MigrationStatus>, Error> {
    let applied = applied(db).await?;
    let mut all: Vec<MigrationStatus> = MIGRATIONS
        .iter()
        .map(|known| {
            let found = applied.iter().find(|a| a.version == known.version);
            MigrationStatus {
                version: known.version,
                name: known.name.to_owned(),
                state: match found {
                    None => "pending",
                    Some(found) if found.checksum == known.checksum(db) => "applied",
                    Some(_) => "changed",
                },
                applied_at: found.map(|found| found.applied_at),
            }
        })
        .collect();
    all.extend(applied.into_iter().filter(|a| MIGRATIONS.iter().all(|known| known.version != a.version)).map(|a| {
        MigrationStatus { version: a.version, name: a.name, state: "unknown", applied_at: Some(a.applied_at) }
    }));
    all.sort_by_key(|status| status.version);
    Ok(all)
}

/// Refuses a schema that is behind, newer, or edited.
///
/// # Errors
/// [`MigrateError::Behind`], [`MigrateError::Newer`], [`MigrateError::Drift`].
pub async fn check(db: &Db) -> Result<(), Error> {
    match pending(MIGRATIONS, db, &applied(db).await?)?.len() {
        0 => Ok(()),
        pending => Err(MigrateError::Behind { pending }.into()),
    }
}

/// What is left to apply, after a look at what was.
fn pending<'m>(migrations: &'m [Migration], db: &Db, applied: &[Applied]) -> Result<Vec<&'m Migration>, Error> {
    let unknown = applied.iter().map(|a| a.version).filter(|v| migrations.iter().all(|known| known.version != *v));
    if let Some(version) = unknown.max() {
        return Err(MigrateError::Newer { version }.into());
    }
    let mut pending = Vec::new();
    for migration in migrations {
        match applied.iter().find(|a| a.version == migration.version) {
            None => pending.push(migration),
            Some(found) if found.checksum == migration.checksum(db) => {}
            Some(_) => {
                let (version, name) = (migration.version, migration.name.to_owned());
                return Err(MigrateError::Drift { version, name }.into());
            }
        }
    }
    Ok(pending)
}

async fn apply(
    migrations: &[Migration],
    db: &Db,
    lock_timeout: Duration,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<usize, Error> {
    // The usual start finds nothing to do and needs no lock for that.
    if pending(migrations, db, &applied(db).await?)?.is_empty() {
        return Ok(0);
    }
    let lock = Lock::take(db, lock_timeout, progress).await?;
    let result = apply_locked(migrations, db, progress).await;
    lock.free().await;
    result
}

async fn apply_locked(
    migrations: &[Migration],
    db: &Db,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<usize, Error> {
    // Another process may have worked while this one waited for the lock.
    let pending = pending(migrations, db, &applied(db).await?)?;
    on!(w db, |pool| sqlx::raw_sql(create_table(db)).execute(pool).await.map(|_| ()))?;
    for migration in &pending {
        let (version, name) = (migration.version, migration.name.to_owned());
        progress(Progress::Applying { version, name: name.clone() });
        let started = Instant::now();
        let done: Result<(), sqlx::Error> = on!(w db, |pool| async {
            let mut tx = pool.begin_with(db.begin_writing()).await?;
            sqlx::raw_sql(migration.script(db).up).execute(&mut *tx).await?;
            sqlx::query("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)")
                .bind(version)
                .bind(&name)
                .bind(migration.checksum(db))
                .bind(Utc::now())
                .execute(&mut *tx)
                .await?;
            tx.commit().await
        }
        .await);
        done.map_err(|e| migration.failed(e))?;
        progress(Progress::Applied { version, name, took: started.elapsed() });
    }
    Ok(pending.len())
}

async fn undo(
    migrations: &[Migration],
    db: &Db,
    steps: usize,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<usize, Error> {
    let applied = applied(db).await?;
    // An edited or unknown migration cannot be undone by this binary's scripts.
    pending(migrations, db, &applied)?;
    if applied.is_empty() {
        return Err(MigrateError::NothingApplied.into());
    }
    let last = applied.iter().rev().take(steps);
    let last: Vec<&Migration> = last.filter_map(|a| migrations.iter().find(|m| m.version == a.version)).collect();
    for migration in &last {
        let (version, name) = (migration.version, migration.name.to_owned());
        progress(Progress::Applying { version, name: name.clone() });
        let started = Instant::now();
        let done: Result<(), sqlx::Error> = on!(w db, |pool| async {
            let mut tx = pool.begin_with(db.begin_writing()).await?;
            sqlx::raw_sql(migration.script(db).down).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM schema_migrations WHERE version = $1").bind(version).execute(&mut *tx).await?;
            tx.commit().await
        }
        .await);
        done.map_err(|e| migration.failed(e))?;
        progress(Progress::Applied { version, name, took: started.elapsed() });
    }
    Ok(last.len())
}

fn create_table(db: &Db) -> &'static str {
    match db {
        Db::Lite { .. } => {
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT"
        }
        Db::Pg(_) => {
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL)"
        }
    }
}

/// What was applied, oldest first; nothing when the table is not there yet.
async fn applied(db: &Db) -> Result<Vec<Applied>, Error> {
    let exists = match db {
        Db::Lite { .. } => "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
        Db::Pg(_) => {
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migrations'"
        }
    };
    let exists: i64 = on!(w db, |pool| sqlx::query_scalar(exists).fetch_one(pool).await)?;
    if exists == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version";
    let rows: Vec<(i64, String, String, DateTime<Utc>)> = on!(w db, |pool| sqlx::query_as(sql).fetch_all(pool).await)?;
    Ok(rows
        .into_iter()
        .map(|(version, name, checksum, applied_at)| Applied { version, name, checksum, applied_at })
        .collect())
}
