//! One process migrates at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::time::{Duration, Instant};

use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::{MigrateError, Progress};
use crate::store::db::Db;
use crate::store::error::Error;

/// Which session-level advisory lock PostgreSQL takes: "pforge" in ASCII.
const LOCK: i64 = 0x7066_6f72_6765;
/// How often a taken lock is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// The right to migrate, or a candidate for it.
pub(super) enum Lock {
    /// A database in memory belongs to one process.
    None,
    /// `<database>.migrate.lock`; the lock goes with the file handle, also when the process dies.
    File(File),
    /// An advisory lock of this session. The connection is no pool's: were it to go back to one,
    /// a forgotten lock would block every later migration.
    Session(PgConnection),
}

impl Lock {
    /// Tries until it has the lock; says once that it waits.
    pub(super) async fn take(
        db: &Db,
        timeout: Duration,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, Error> {
        let deadline = Instant::now() + timeout;
        let mut lock = Self::candidate(db).await?;
        let mut told = false;
        while !lock.try_take().await? {
            if !told {
                progress(Progress::Waiting);
                told = true;
            }
            if Instant::now() >= deadline {
                lock.free().await;
                return Err(MigrateError::Locked(timeout).into());
            }
            tokio::time::sleep(RETRY).await;
        }
        Ok(lock)
    }

    async fn candidate(db: &Db) -> Result<Self, Error> {
        match db {
            Db::Lite { w, .. } => {
                let file: String = sqlx::query_scalar("SELECT file FROM pragma_database_list WHERE name = 'main'")
                    .fetch_one(w)
                    .await?;
                if file.is_empty() {
                    return Ok(Self::None);
                }
                let path = format!("{file}.migrate.lock");
                let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
                Ok(Self::File(opened.map_err(|e| Error::Unavailable(format!("cannot open {path}: {e}")))?))
            }
            Db::Pg(pool) => Ok(Self::Session(PgConnection::connect_with(&pool.connect_options()).await?)),
        }
    }

    async fn try_take(&mut self) -> Result<bool, Error> {
        match self {
            Self::None => Ok(true),
            Self::File(file) => match file.try_lock() {
                Ok(()) => Ok(true),
                Err(TryLockError::WouldBlock) => Ok(false),
                Err(TryLockError::Error(e)) => {
                    Err(Error::Unavailable(format!("cannot lock the database's lock file: {e}")))
                }
            },
            Self::Session(connection) => {
                Ok(sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(connection).await?)
            }
        }
    }

    pub(super) async fn free(self) {
        match self {
            Self::None => {}
            Self::File(file) => drop(file),
            // The end of the session frees its locks; when closing fails, it has ended already.
            Self::Session(connection) => drop(connection.close().await),
        }
    }
}
