//! Databases for tests: a private PostgreSQL server per test run, and a fresh database per test.
//!
//! A missing PostgreSQL is a failure. `PFORGE_TEST_DATABASE_URL` names a server to use instead;
//! databases are created on it and dropped again.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use pforge::store::{DatabaseUrl, Db, migrate};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Declares each test once for SQLite (a file) and once for PostgreSQL. Each is an
/// `async fn(TestDb)` of the surrounding module and gets a fresh, migrated database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::pg::TestDb::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::support::pg::TestDb::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

const PATIENCE: Duration = Duration::from_secs(60);

/// A fresh database of one test, migrated and open.
pub struct TestDb {
    /// Open.
    pub db: Db,
    /// Where it is, for further processes.
    pub url: String,
    _place: Place,
}

enum Place {
    Folder(#[allow(dead_code, reason = "removed when dropped")] tempfile::TempDir),
    Server(#[allow(dead_code, reason = "removed when dropped")] Database),
}

impl TestDb {
    /// A SQLite file.
    pub async fn sqlite() -> Self {
        let test = Self::empty_sqlite().await;
        test.migrated().await
    }

    /// A PostgreSQL database.
    pub async fn postgres() -> Self {
        let test = Self::empty_postgres().await;
        test.migrated().await
    }

    /// Not migrated.
    pub async fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("tempdir");
        let url = format!("sqlite://{}", folder.path().join("db.sqlite").display());
        Self { db: open(&url).await, url, _place: Place::Folder(folder) }
    }

    /// Not migrated.
    pub async fn empty_postgres() -> Self {
        let database = Database::create(shared().await).await;
        let url = database.url.clone();
        Self { db: open(&url).await, url, _place: Place::Server(database) }
    }

    /// Another connection to it, as another process would have.
    pub async fn again(&self) -> Db {
        open(&self.url).await
    }

    async fn migrated(self) -> Self {
        migrate::up(&self.db, PATIENCE, &|_| {}).await.expect("migrate");
        self
    }
}

/// Opens a database, not migrated.
pub async fn open(url: &str) -> Db {
    let url: DatabaseUrl = url.parse().expect("database URL");
    Db::connect(&url, PATIENCE).await.expect("connect")
}

/// A database of its own on a PostgreSQL server, empty.
pub struct Database {
    /// Where it is.
    pub url: String,
    /// Set when the server outlives the tests.
    drop_on: Option<(String, String)>,
}

impl Database {
    /// Creates it on the server with this URL.
    pub async fn create(server: &str) -> Self {
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(server).await.expect("PostgreSQL answers");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut admin)
            .await
            .expect("create database");
        admin.close().await.expect("close");
        let mut url = url::Url::parse(server).expect("url");
        url.set_path(&name);
        let outlives = std::env::var_os("PFORGE_TEST_DATABASE_URL").is_some();
        Self { url: url.into(), drop_on: outlives.then(|| (server.to_owned(), name)) }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((server, name)) = self.drop_on.take() else { return };
        let dropping = async move {
            let mut admin = PgConnection::connect(&server).await.ok()?;
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.ok()
        };
        // A test's own runtime cannot be blocked on.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let _ = std::thread::spawn(move || runtime.block_on(dropping)).join();
    }
}

/// URL of the server that all tests share; started at the first call.
async fn shared() -> &'static str {
    static SERVER: OnceLock<(String, Option<Server>)> = OnceLock::new();
    let start = || {
        SERVER.get_or_init(|| match std::env::var("PFORGE_TEST_DATABASE_URL") {
            Ok(url) => (url, None),
            Err(_) => {
                let server = Server::start();
                (server.url(), Some(server))
            }
        })
    };
    &tokio::task::spawn_blocking(start).await.expect("start PostgreSQL").0
}

/// A private PostgreSQL server. It ends with this value, and with this process however that ends.
pub struct Server {
    folder: PathBuf,
    port: u16,
    guard: Mutex<Option<Child>>,
}

impl Server {
    /// Makes a data folder and starts a server on it. Blocks.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pforge-pg-").tempdir().expect("tempdir").keep();
        if let Some((user, group)) = other_user() {
            chown(&folder, Some(user), Some(group)).expect("chown");
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let server = Self { folder, port, guard: Mutex::new(None) };
        server.go_on();
        server
    }

    /// URL of its administrative database.
    pub fn url(&self) -> String {
        format!("postgres://pforge@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again after [`Server::stop`]. Blocks until it answers.
    pub fn go_on(&self) {
        // The shell outlives this process for a moment: when its standard input ends, for
        // whatever reason, it kills the server and, unless told to keep them, removes the files.
        let script = r#"
            [ -d "$1/data" ] || "$2" --no-sync --auth=trust --username=pforge --encoding=UTF8 --locale=C \
                -D "$1/data" >"$1/log" 2>&1 || exit 1
            "$3" -D "$1/data" -p "$4" -k "$1" -c listen_addresses=127.0.0.1 -c max_connections=300 \
                -c fsync=off -c full_page_writes=off >"$1/log" 2>&1 &
            read -r word
            # Twice: one that has only just begun may not hear the first.
            kill -QUIT $!; sleep 0.2; kill -QUIT $!
            n=0; while [ -e "$1/data/postmaster.pid" ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
            kill -KILL $!
            wait $!
            [ "$word" = keep ] || rm -rf "$1"
        "#;
        let mut child = as_server(Path::new("/bin/sh"))
            .args(["-c", script, "sh"])
            .arg(&self.folder)
            .arg(program("initdb"))
            .arg(program("postgres"))
            .arg(self.port.to_string())
            .current_dir(&self.folder)
            // Ctrl-C ends the tests, and only thereby the shell.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        let started = Instant::now();
        let status = self.folder.join("data/postmaster.pid");
        while !std::fs::read_to_string(&status).is_ok_and(|s| s.lines().nth(7).is_some_and(|l| l.trim() == "ready")) {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let alive = child.try_wait().is_ok_and(|ended| ended.is_none());
            assert!(alive && started.elapsed() < PATIENCE, "PostgreSQL did not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        *self.guard.lock().expect("lock") = Some(child);
    }

    /// Stops it at once, as a crash would; the data stays. Blocks.
    pub fn stop(&self) {
        self.end("keep\n");
        let _ = std::fs::remove_file(self.folder.join("data/postmaster.pid"));
    }

    fn end(&self, word: &str) {
        if let Some(mut child) = self.guard.lock().expect("lock").take() {
            let mut input = child.stdin.take().expect("piped");
            let _ = input.write_all(word.as_bytes());
            drop(input);
            let _ = child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("");
    }
}

/// A program of PostgreSQL: the newest below /usr/lib/postgresql, or the one in `PATH`.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|version| version.path().join("bin").join(name))
        .filter(|program| program.exists())
        .max_by_key(|program| program.iter().nth(4).and_then(|v| v.to_str()?.parse::<u32>().ok()));
    let in_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.exists())
    };
    newest.or_else(in_path).unwrap_or_else(|| {
        panic!("the tests need PostgreSQL: {name} is neither below /usr/lib/postgresql nor in PATH (apt install postgresql)")
    })
}

/// PostgreSQL refuses to run as root: who it runs as then.
fn other_user() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").expect("/proc").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let user = users.lines().find(|line| line.starts_with("postgres:")).expect("a user named postgres");
    let mut ids = user.split(':').skip(2).map(|id| id.parse().expect("a number"));
    Some((ids.next().expect("uid"), ids.next().expect("gid")))
}

fn as_server(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command
}
