//! What the demo plays on: a GitHub in this process, and `pforge serve` as a process of its own, on
//! free ports, with its config and its database in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::emulator::person::NewApp;
use crate::emulator::{self, Seed};
use crate::util::file::create_private;
use crate::util::{Secret, text};

/// How long the server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the jobs of a server that was killed stay with it.
const LEASE: &str = "2s";
/// Any free port.
pub const FREE: &str = "127.0.0.1:0";
/// The bakery that the recipes name.
pub const BAKERY: &str = "local-test-bakery";

/// A local GitHub.
pub struct GitHub {
    /// Where it listens.
    pub url: String,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl GitHub {
    /// Starts one with nothing in it but what `seed` names.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(seed: Seed) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let stop = CancellationToken::new();
        let options = emulator::Options { seed, ..emulator::Options::default() };
        let task = tokio::spawn(emulator::run(listener, options, stop.clone()));
        Ok(Self { url, stop, task })
    }

    /// Ends it.
    ///
    /// # Errors
    /// What it failed with.
    pub async fn stop(self) -> Result {
        self.stop.cancel();
        match timeout(PATIENCE, self.task).await {
            Ok(Ok(ended)) => ended.map_err(|error| Error::failure("the emulator ended badly").caused_by(&error)),
            Ok(Err(panic)) => Err(Error::failure("the emulator panicked").caused_by(&panic)),
            Err(_) => Err(Error::failure("the emulator did not end in time")),
        }
    }
}

/// The folder that servers are started in: config, bakery, database, datasets.
pub struct Site {
    folder: PathBuf,
    app_name: String,
    github_url: String,
    env: Env,
    /// The server's admin key.
    pub api_key: Secret,
}

impl Site {
    /// Writes the config of `app` into `folder`. Recipes are run by `runner`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(
        folder: &Path,
        app: &NewApp,
        github_url: &str,
        api_key: Secret,
        runner: &[String],
        env: &Env,
    ) -> Result<Self> {
        let config = json!({
            "fastapi": { "PANGEO_FORGE_API_KEY": api_key.expose() },
            "github_app": {
                "app_name": app.slug,
                "id": app.id,
                "webhook_secret": app.webhook_secret.as_ref().map(Secret::expose),
                "private_key": app.pem.expose(),
            },
            "recipes": { "runner": { "command": runner, "set_env": packages(runner, env) } },
        });
        let site = Self {
            folder: folder.to_path_buf(),
            app_name: app.slug.clone(),
            github_url: github_url.to_owned(),
            env: env.clone(),
            api_key,
        };
        site.file(&format!("secrets/config.{}.yaml", app.slug), &config)?;
        site.file(&format!("bakeries/{BAKERY}.{}.yaml", app.slug), &site.bakery())?;
        Ok(site)
    }

    /// Where datasets are.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn bakery(&self) -> Value {
        let local = |name: &str| {
            json!({
                "fsspec_class": "fsspec.implementations.local.LocalFileSystem",
                "root_path": self.folder.join(name),
            })
        };
        let mut target = local("data");
        target["root_path"] = json!(format!("{}/{{subpath}}", self.data().display()));
        target["public_url"] = json!("file://{root_path}");
        json!({
            "Bake": { "bakery_class": "pangeo_forge_runner.bakery.local.LocalDirectBakery" },
            "TargetStorage": target,
            "InputCacheStorage": local("cache"),
            "MetadataCacheStorage": local("metadata"),
        })
    }

    /// JSON is YAML, and needs no thought about quoting.
    fn file(&self, name: &str, value: &Value) -> Result {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
        Ok(create_private(&path, format!("{value:#}\n").as_bytes())?)
    }

    /// Starts `pforge serve` on `listen` and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before, with the end of what it wrote.
    pub async fn serve(&self, listen: &str) -> Result<Server> {
        let program = own_program()?;
        let log = self.folder.join("serve.log");
        let written = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PANGEO_FORGE_DEPLOYMENT", &self.app_name)
            .env("GITHUB_API_URL", &self.github_url)
            .arg("--root")
            .arg(&self.folder)
            .args(["--json", "serve", "--listen", listen, "--lease", LEASE, "--database-url"])
            .arg(format!("sqlite://{}", self.folder.join("demo.sqlite").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(written)
            .kill_on_drop(true);
        // What a runner needs to be found and to work; nothing else of this machine leaks in.
        for name in ["PATH", "HOME", "LANG", "TMPDIR", "SystemRoot"] {
            if let Some(value) = self.env.get(name) {
                command.env(name, value);
            }
        }
        let mut child = command.spawn().map_err(|error| Error::failure("cannot start the server").caused_by(&error))?;
        let stdout = child.stdout.take().ok_or_else(|| Error::failure("the server has no output"))?;
        let mut lines = BufReader::new(stdout);
        match timeout(PATIENCE, ready(&mut lines)).await {
            Ok(Some(url)) => {
                // Whoever stops reading ends it.
                tokio::spawn(async move { while read(&mut lines).await.is_some() {} });
                Ok(Server { url, child })
            }
            _ => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let end: Vec<&str> = said.lines().rev().take(5).collect();
                let end = end.into_iter().rev().collect::<Vec<_>>().join(" / ");
                Err(Error::failure("pforge serve did not start").because(text::truncate(&end, 1000)))
            }
        }
    }
}

/// A recipe imports what the runner's own virtual environment has, instead of installing it afresh.
fn packages(runner: &[String], env: &Env) -> Value {
    let program = runner.first().and_then(|program| find(program, env));
    let environment = program.as_deref().and_then(Path::parent).and_then(Path::parent);
    let entries = environment.and_then(|folder| std::fs::read_dir(folder.join("lib")).ok()).into_iter().flatten();
    let folders = entries.flatten().map(|entry| entry.path().join("site-packages"));
    folders.into_iter().find(|path| path.is_dir()).map_or(json!({}), |path| json!({ "PYTHONPATH": path }))
}

/// Where a program is: at its path, or in one of the folders of `PATH`.
pub fn find(program: &str, env: &Env) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return Some(path.to_path_buf()).filter(|path| path.is_file());
    }
    let places = env.get("PATH").map(std::env::split_paths);
    places.into_iter().flatten().map(|place| place.join(path)).find(|path| path.is_file())
}

/// The running executable.
///
/// # Errors
/// When the system does not say where it is.
pub fn own_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| Error::failure("pforge does not know its path").caused_by(&error))
}

/// Reads until the line that says where the server is.
async fn ready(lines: &mut BufReader<ChildStdout>) -> Option<String> {
    loop {
        let event: Value = serde_json::from_str(&read(lines).await?).unwrap_or_default();
        if event["type"] == "ready" {
            return Some(event["url"].as_str()?.trim_end_matches('/').to_owned());
        }
    }
}

async fn read(lines: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    let count = lines.read_line(&mut line).await.ok()?;
    (count > 0).then_some(line)
}

/// A running `pforge serve`. Killed when dropped.
pub struct Server {
    /// Where it listens.
    pub url: String,
    child: Child,
}

impl Server {
    /// Kills it at once, as a power cut would.
    ///
    /// # Errors
    /// When it is gone already.
    pub async fn kill(&mut self) -> Result<u32> {
        let pid = self.child.id().ok_or_else(|| Error::failure("the server has ended by itself"))?;
        self.child.kill().await?;
        Ok(pid)
    }

    /// Ends it gracefully.
    ///
    /// # Errors
    /// When it does not end, or ends with an error.
    pub async fn stop(mut self) -> Result {
        self.terminate();
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => Err(Error::failure("the server ended badly").because(format!("{status:?}"))),
            Err(_) => Err(Error::failure("the server did not end in time")),
        }
    }

    #[cfg(unix)]
    fn terminate(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // One that has ended needs no signal.
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
    }

    #[cfg(not(unix))]
    fn terminate(&mut self) {
        let _ = self.child.start_kill();
    }
}
