//! Databases made and removed whole: those of deployments that live as long as a pull request.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use super::db::DatabaseUrl;
use super::error::Error;

/// How long the server may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// How long making or removing a database may take: its template is copied, its sessions are ended.
const STATEMENT: Duration = Duration::from_secs(60);

/// The database that `url` names, whether it is there or not.
#[derive(Clone, Debug)]
pub struct Database(Kind);

#[derive(Clone, Debug)]
enum Kind {
    File(PathBuf),
    /// Reached through another database of the server: nobody can make the one that they are in.
    Postgres {
        admin: Box<PgConnectOptions>,
        name: String,
    },
}

impl Database {
    /// The file that `url` names.
    ///
    /// # Errors
    /// [`Error::Url`] when it names none.
    pub fn file(url: &DatabaseUrl) -> Result<Self, Error> {
        let path = url.path().ok_or_else(|| Error::Url(format!("{url} is not the URL of a file")))?;
        Ok(Self(Kind::File(path.to_path_buf())))
    }

    /// The database `name` on the PostgreSQL server that `server` reaches.
    ///
    /// # Errors
    /// [`Error::Url`] when that is no PostgreSQL, or no name of a database in small letters, digits
    /// and `_`.
    pub fn on_server(server: &DatabaseUrl, name: &str) -> Result<Self, Error> {
        let admin =
            server.postgres().ok_or_else(|| Error::Url(format!("{server} is not the URL of a PostgreSQL server")))?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > 63 || !name.chars().all(fits) {
            return Err(Error::Url(format!("{name:?} is not the name of a database")));
        }
        Ok(Self(Kind::Postgres { admin: Box::new(admin.clone()), name: name.to_owned() }))
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn exists(&self) -> Result<bool, Error> {
        match &self.0 {
            Kind::File(path) => Ok(path.exists()),
            Kind::Postgres { admin, name } => {
                within(CONNECT, async {
                    let mut server = admin.connect().await?;
                    let found = found(&mut server, name).await?;
                    server.close().await?;
                    Ok(found)
                })
                .await
            }
        }
    }

    /// Makes it, empty; whether it was not there before. A file is made when it is first opened.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn create(&self) -> Result<bool, Error> {
        let Kind::Postgres { admin, name } = &self.0 else { return Ok(!self.exists().await?) };
        within(CONNECT + STATEMENT, async {
            let mut server = admin.connect().await?;
            let new = !found(&mut server, name).await?;
            if new {
                sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{name}\""))).execute(&mut server).await?;
            }
            server.close().await?;
            Ok(new)
        })
        .await
    }

    /// Removes it with everything in it, and ends the sessions of those who use it; whether it was
    /// there.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, or a file cannot be removed.
    pub async fn remove(&self) -> Result<bool, Error> {
        let (admin, name) = match &self.0 {
            Kind::File(path) => return remove_files(path),
            Kind::Postgres { admin, name } => (admin, name),
        };
        within(CONNECT + STATEMENT, async {
            let mut server = admin.connect().await?;
            let there = found(&mut server, name).await?;
            if there {
                let sql = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
                sqlx::query(AssertSqlSafe(sql)).execute(&mut server).await?;
            }
            server.close().await?;
            Ok(there)
        })
        .await
    }
}

async fn found(server: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(sql).bind(name).fetch_one(server).await
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Error::Unavailable(format!("the server did not answer within {limit:?}"))),
    }
}

/// The file, the two that SQLite keeps beside it while it works, and the lock of its migrations.
fn remove_files(path: &Path) -> Result<bool, Error> {
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut there = false;
    for file in [path.to_path_buf(), beside("-wal"), beside("-shm"), beside(".migrate.lock")] {
        match fs::remove_file(&file) {
            Ok(()) => there = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::Other(format!("cannot remove {}: {error}", file.display()))),
        }
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::{Database, DatabaseUrl};

    #[test]
    fn only_plain_names_are_names_of_databases() {
        let server: DatabaseUrl = "postgres://u@127.0.0.1/postgres".parse().expect("a URL");
        for (name, good) in [
            ("pforge_pr_80", true),
            ("", false),
            ("Pforge", false),
            ("a-b", false),
            ("x\" WITH", false),
            (&*"x".repeat(64), false),
        ] {
            assert_eq!(Database::on_server(&server, name).is_ok(), good, "{name}");
        }
        let file: DatabaseUrl = "sqlite:///tmp/x.sqlite".parse().expect("a URL");
        assert!(Database::on_server(&file, "x").is_err() && Database::file(&server).is_err());
    }
}
