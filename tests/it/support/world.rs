//! A whole world: the emulator, a site with its config, and `pforge serve` as a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pforge::github::signature::Key;
use serde_json::Value;

/// How long anything may take before a test fails. Generous: a slow machine is not a bug.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The webhook secret of every test site.
pub const SECRET: &str = "the webhook secret of the tests";
/// The admin key of every test site.
pub const API_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A folder with the config of one deployment, and where its database and its GitHub are.
pub struct Site {
    /// The folder; holds `secrets/config.test.yaml`.
    pub root: tempfile::TempDir,
    /// `DATABASE_URL`.
    pub database_url: String,
    /// `GITHUB_API_URL`.
    pub github_url: String,
}

impl Site {
    /// A site whose App has `app_id` and `private_key` at `github_url`. Without a database URL it
    /// uses a SQLite file in its own folder.
    pub fn new(github_url: &str, app_id: i64, private_key: &str, database_url: Option<String>) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("secrets")).unwrap();
        let indented = private_key.trim().replace('\n', "\n    ");
        let config = format!(
            "fastapi:\n  PANGEO_FORGE_API_KEY: {API_KEY}\ngithub_app:\n  app_name: test\n  id: {app_id}\n  \
             webhook_secret: {SECRET}\n  private_key: |\n    {indented}\n"
        );
        fs::write(root.path().join("secrets/config.test.yaml"), config).unwrap();
        let database_url =
            database_url.unwrap_or_else(|| format!("sqlite://{}", root.path().join("test.sqlite").display()));
        Self { root, database_url, github_url: github_url.to_owned() }
    }

    /// The built binary in this site's environment and no other.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pforge"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path())
            .env("PFORGE_ROOT", self.root.path())
            .env("PANGEO_FORGE_DEPLOYMENT", "test")
            .env("DATABASE_URL", &self.database_url)
            .env("GITHUB_API_URL", &self.github_url)
            // Most tests post deliveries that GitHub could not deliver themselves.
            .env("PFORGE_RECONCILE", "off")
            .stdin(Stdio::null());
        command
    }

    /// Starts `pforge serve` on a free port and waits until it is ready.
    pub fn serve(&self, extra: &[&str]) -> Serve {
        Serve::start(self, extra)
    }
}

/// A running `pforge serve`. Killed when dropped.
pub struct Serve {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    log: PathBuf,
    lines: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

impl Serve {
    fn start(site: &Site, extra: &[&str]) -> Self {
        let mut serve = Self::spawn(site, extra);
        serve.wait_ready();
        serve
    }

    /// Starts the process without waiting for it.
    pub fn spawn(site: &Site, extra: &[&str]) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = site.root.path().join(format!("serve-{number}.log"));
        let child = site
            .command()
            .args(["serve", "--listen", "127.0.0.1:0", "--json"])
            .args(extra)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self { child, url: String::new(), log, lines: Arc::default(), reader: None }
    }

    /// Waits for the line that says where it listens.
    pub fn wait_ready(&mut self) {
        let stdout = self.child.stdout.take().expect("wait_ready is called once");
        let (ready, first) = mpsc::channel();
        let lines = Arc::clone(&self.lines);
        self.reader = Some(std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if value["type"] == "ready" {
                    let _ = ready.send(value["url"].as_str().unwrap_or_default().to_owned());
                }
                lines.lock().unwrap().push(value);
            }
        }));
        match first.recv_timeout(PATIENCE) {
            Ok(url) => self.url = url.trim_end_matches('/').to_owned(),
            Err(_) => panic!("serve did not become ready:\n{}", self.log()),
        }
    }

    /// What it wrote to stderr.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The documents that it wrote to stdout so far.
    pub fn lines(&self) -> Vec<Value> {
        self.lines.lock().unwrap().clone()
    }

    /// After its end: the last document that it wrote to stdout.
    pub fn last_line(&mut self) -> Value {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.lines().pop().unwrap_or_default()
    }

    /// SIGKILL: no chance to clean up.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGSTOP: it does nothing and notices nothing until [`Serve::thaw`].
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").arg(signal).arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// SIGTERM, and the exit code of the graceful end.
    pub fn terminate(&mut self) -> i32 {
        self.signal("-TERM");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < deadline, "serve did not end after SIGTERM:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Signed deliveries and admin requests to one server.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    key: Key,
}

impl Api {
    /// A client of the server at `url`.
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { http, url: url.to_owned(), key: Key::new(SECRET.as_bytes()) }
    }

    /// Posts `body` as a correctly signed JSON delivery.
    pub async fn deliver(&self, event: &str, guid: &str, body: Vec<u8>) -> reqwest::Result<reqwest::Response> {
        self.http
            .post(format!("{}/github/hooks/", self.url))
            .header("x-github-event", event)
            .header("x-github-delivery", guid)
            .header("x-github-hook-id", "1")
            .header("x-hub-signature-256", self.key.sign(&body))
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
    }

    /// `GET` with the admin key; must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url)).header("x-api-key", API_KEY).send().await.unwrap();
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// `GET` with the admin key; the bytes.
    pub async fn bytes(&self, path: &str) -> bytes::Bytes {
        let answer = self.http.get(format!("{}{path}", self.url)).header("x-api-key", API_KEY).send().await.unwrap();
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.bytes().await.unwrap()
    }

    /// `POST` with the admin key; must succeed.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).header("x-api-key", API_KEY).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "POST {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// All items of a cursor-paged list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{join}limit=1000{cursor}")).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&after={next}"),
                None => return items,
            }
        }
    }
}

/// Asks again and again until `probe` gives a value; panics with `what` after [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut probe: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up waiting: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
