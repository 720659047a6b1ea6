//! Where the session of a page is played: a GitHub, alice's home and folder, and a shell that knows
//! no other.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pforge::emulator::Seed;
use pforge::emulator::keys::AppKey;
use pforge::emulator::seed::{SeedApp, SeedInstallation, SeedRepo, SeedUser};
use pforge::emulator::state::Permissions;
use pforge::util::Secret;
use tempfile::TempDir;

use super::env::PFORGE;
use super::page::replaced;

/// The repository that alice has.
pub const REPO: &str = "alice/mock-feedstock";

/// The App that is there already, where a page does not begin with making one.
const APP: &str = "pforge-local-alice";

/// A folder and the ports of one session, in the places of those that the page shows.
pub struct Stage {
    folder: TempDir,
    /// Of the page of `new-app`; 3000 on the page.
    page: u16,
    /// Of the server; 8000 on the page.
    pub server: u16,
}

fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port()
}

/// A GitHub where alice has her repository.
pub fn seed() -> Seed {
    let readme = BTreeMap::from([("README.md".to_owned(), "# A mock feedstock\n".to_owned())]);
    Seed {
        users: vec![SeedUser { login: "alice".to_owned(), token: None }],
        repos: vec![SeedRepo { name: REPO.to_owned(), files: readme, ..SeedRepo::default() }],
        ..Seed::default()
    }
}

impl Stage {
    /// An empty folder of a person who has pforge.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["alice", "alice/orchestrator", "bin"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        symlink(PFORGE, folder.path().join("bin/pforge")).unwrap();
        Self { folder, page: free(), server: free() }
    }

    /// As [`Self::new`], with an App that is installed and in the config, and its GitHub.
    pub fn with_app(permissions: Permissions) -> (Self, Seed) {
        let stage = Self::new();
        let key = AppKey::generate().unwrap();
        let mut config =
            String::from("fastapi:\n  PANGEO_FORGE_API_KEY: 0123456789abcdef0123456789abcdef\ngithub_app:\n");
        let _ = write!(
            config,
            "  app_name: {APP}\n  id: 231585\n  webhook_secret: a secret of the tests\n  private_key: |\n    {}\n",
            key.pem.expose().trim().replace('\n', "\n    ")
        );
        std::fs::create_dir(stage.work().join("secrets")).unwrap();
        std::fs::write(stage.work().join(format!("secrets/config.{APP}.yaml")), config).unwrap();
        let mut seed = seed();
        seed.apps.push(SeedApp {
            id: Some(231_585),
            name: APP.to_owned(),
            owner: Some("alice".to_owned()),
            private_key: Some(key.pem),
            webhook_url: Some(format!("http://127.0.0.1:{}/github/hooks/", stage.server)),
            webhook_secret: Some(Secret::new("a secret of the tests")),
            permissions,
            events: ["issue_comment", "pull_request"].map(str::to_owned).to_vec(),
            installations: vec![SeedInstallation { account: "alice".to_owned(), repositories: None }],
        });
        (stage, seed)
    }

    /// The working directory of the session.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("alice/orchestrator")
    }

    /// The page of `new-app`.
    pub fn page(&self) -> String {
        format!("http://localhost:{}/authorize.html", self.page)
    }

    /// Runs a script at the GitHub of `base`; what it printed, with the names that the page shows.
    pub fn run(&self, script: &str, base: &str) -> String {
        let at = |name: &str| self.folder.path().join(name);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", at("bin").display());
        let (server, page) = (format!("127.0.0.1:{}", self.server), format!("localhost:{}", self.page));
        let script = script
            .replace("pforge new-app alice local", &format!("pforge new-app alice local --port {}", self.page))
            .replace("pforge serve", &format!("pforge serve --listen {server}"))
            .replace("pforge proxy start", &format!("pforge proxy start --to {server}"))
            .replace("127.0.0.1:8000", &server);
        let mut shell = Command::new("timeout")
            .args(["120", "sh", "-c", &script])
            .current_dir(self.work())
            .env_clear()
            .env("HOME", at("alice"))
            .env("PATH", path)
            .env("LANG", "C.UTF-8")
            .env("GITHUB_API_URL", base)
            .env("PFORGE_SERVER", format!("http://{server}"))
            // What it leaves running ends with it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let mut printed = String::new();
        shell.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        let _ = shell.wait();
        let _ = Command::new("kill").args(["--", &format!("-{}", shell.id())]).stderr(Stdio::null()).status();
        let host = base.trim_start_matches("http://");
        printed
            .replace(&page, "localhost:3000")
            .replace(&server, "127.0.0.1:8000")
            .replace(base, "https://github.com")
            .replace(host, "github.com")
            .replace(&at("alice").display().to_string(), "/home/alice")
    }
}

/// Without what differs from run to run.
pub fn steady(text: &str) -> String {
    let rules = [
        (r"age1[0-9a-z]{58}", "age1KEY"),
        // The machine's own.
        (r"does not answer: .*", "does not answer"),
        (r"tools  .*", "tools"),
        (r"ms (behind|ahead of) GitHub", "ms from GitHub"),
        (r"SHA256:[A-Za-z0-9+/=]+", "SHA256:KEY"),
        (r"sha256:[0-9a-f]{8}", "sha256:FINGERPRINT"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?", "AT"),
        (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "AT"),
        (r"Iv23li\w+", "CLIENT"),
        (r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", "GUID"),
        (r"\b[0-9a-f]{7,40}\b", "HASH"),
        (r"\b\d+(\.\d+)? (ms|s|min|h)\b", "TIME"),
        (r"#\d{4,}", "#ID"),
        (r"\b\d{4,}\b", "ID"),
        (r"[ \t]+", " "),
        (r"(?m) $", ""),
    ];
    replaced(text, &rules)
}
