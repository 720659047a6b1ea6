//! The emulator with a feedstock, `pforge serve` next to it, and the commands that look at both.

use std::process::{Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use pforge::emulator::keys::AppKey;
use pforge::emulator::person::{Files, OpenPull, OpenedPull};
use pforge::emulator::{self, Person, Seed};
use pforge::github::api::apps::HookChange;
use pforge::github::{AppCredentials, Client, Config};
use pforge::util::Clock;
use regex::Regex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::world::{Api, SECRET, Serve, Site};

/// The feedstock.
pub const REPO: &str = "alice/mock-feedstock";
/// How long people wait.
pub const PATIENCE: Duration = Duration::from_secs(60);

const META: &str = "title: t\nrecipes:\n  - {id: daily, object: 'recipe:daily'}\nbakery: {id: local-test-bakery}\n";

/// Everything.
pub struct Stage {
    pub person: Person,
    pub site: Site,
    pub serve: Serve,
    pub client: Client,
    _emulator: DropGuard,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// What it said, if it ended well.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Standard output as one document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs a command of a site; `vars` are added to its environment, an empty value removes one.
pub fn run(site: &Site, vars: &[(&str, &str)], line: &str) -> Said {
    let mut command = site.command();
    for (name, value) in vars {
        command.env(name, value);
    }
    let args = line.split_whitespace();
    let running = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    tokio::task::block_in_place(|| running.output()).unwrap().into()
}

impl Stage {
    pub async fn start() -> Self {
        let key = AppKey::generate().unwrap();
        let app = json!({
            "id": 7,
            "name": "test",
            "owner": "alice",
            "private_key": key.pem.expose(),
            "webhook_secret": SECRET,
            "permissions": { "checks": "write", "contents": "write", "metadata": "read", "pull_requests": "write" },
            "events": ["pull_request", "push"],
            "installations": [{ "account": "alice" }],
        });
        let seed = json!({
            "users": [{ "login": "alice" }],
            "repos": [{ "name": REPO, "files": { "feedstock/meta.yaml": META } }],
            "apps": [app],
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let options =
            emulator::Options { seed: Seed::parse(&seed.to_string()).unwrap(), ..emulator::Options::default() };
        tokio::spawn(emulator::run(listener, options, stop.clone()));
        let site = Site::new(&url, 7, key.pem.expose(), None);
        let credentials = AppCredentials { issuer: "7".into(), private_key: key.pem.clone() };
        let config = Config { api_url: url.parse().unwrap(), credentials, clock: Clock::system() };
        let client = Client::new(config).unwrap();
        let serve = tokio::task::block_in_place(|| site.serve(&[]));
        let api = Api::new(&serve.url);
        api.post("/feedstocks/", &json!({ "spec": REPO })).await;
        let bakery = json!({ "name": "local-test-bakery", "region": "local", "description": "A great bakery." });
        api.post("/bakeries/", &bakery).await;
        let stage = Self { person: Person::new(&url).unwrap(), site, serve, client, _emulator: stop.drop_guard() };
        let hook = format!("{}/github/hooks/", stage.serve.url);
        stage.point_to(&hook).await;
        stage
    }

    /// Changes the webhook URL.
    pub async fn point_to(&self, url: &str) {
        let change = HookChange { url: Some(url.to_owned()), ..HookChange::default() };
        self.client.change_hook_config(&change).await.unwrap();
    }

    /// Opens a pull request and waits until its delivery was answered.
    pub async fn open(&self, branch: &str) -> OpenedPull {
        let pull = OpenPull {
            branch: branch.into(),
            title: format!("The {branch} branch"),
            files: note(branch),
            ..OpenPull::default()
        };
        let opened = self.person.open_pull(REPO, &pull).await.unwrap();
        self.person.settled(PATIENCE).await.unwrap();
        opened
    }

    /// Runs a command that knows where the server is.
    pub fn run(&self, line: &str) -> Said {
        run(&self.site, &[("PFORGE_SERVER", &self.serve.url)], line)
    }

    /// Replaces what differs from run to run.
    pub fn filter(&self, text: &str) -> String {
        static FILTERS: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
        let filters = FILTERS.get_or_init(|| {
            [
                (r"127\.0\.0\.1:\d+", "[ADDRESS]"),
                (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[GUID]"),
                (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[AT]"),
                (r"\d\d:\d\d:\d\d\.\d{3}", "[AT]"),
                (r"\b\d+(\.\d)? (ms|s)\b", "[TIME]"),
                (r"\b[0-9a-f]{40}\b", "[SHA]"),
                (r"(#|job |check run |/runs/|/installations/|check-runs/)\d+", "$1[N]"),
                (r"\d+ bytes", "[N] bytes"),
                (r", within GitHub's \[TIME\]", ""),
                (r"((?:GET|POST|PATCH) +/\S+) +", "$1  "),
            ]
            .map(|(pattern, by)| (Regex::new(pattern).unwrap(), by))
            .into()
        });
        filters.iter().fold(text.to_owned(), |text, (pattern, by)| pattern.replace_all(&text, *by).into_owned())
    }
}

/// A file that nothing else has.
pub fn note(name: &str) -> Files {
    [(format!("notes/{name}.md"), Some(format!("Note {name}\n")))].into()
}
