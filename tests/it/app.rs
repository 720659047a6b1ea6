//! `new-app` and `app`: the App made, shown, compared, imported.

mod browser;
mod config;
mod ends;
mod flow;
mod import;
mod live;

use std::path::PathBuf;

use pforge::emulator::Seed;
use reqwest::redirect::Policy;

use crate::emulator::support::Emulator;
use crate::support::env::{Env, Running};

/// The config file of the App that alice makes for herself.
const CONFIG: &str = "secrets/config.pforge-local-developer.yaml";

/// An identity and its public key.
fn identity() -> (String, String) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/sops/keys/age-A.txt");
    let text = std::fs::read_to_string(path).expect("a fixture");
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).expect("a public key").to_owned();
    (text, public)
}

/// A GitHub, and a person's folder and browser.
pub struct Desk {
    pub env: Env,
    pub github: Emulator,
    pub browser: reqwest::Client,
}

/// A page as the browser got it.
pub struct Got {
    pub status: u16,
    html: String,
    policy: String,
}

impl Desk {
    /// Without any recipient: files are in clear.
    async fn new() -> Self {
        Self::at(Seed::demo()).await
    }

    /// As [`Self::new`], at a GitHub with other people.
    pub async fn at(seed: Seed) -> Self {
        let github = Emulator::start(seed).await;
        let mut env = Env::new();
        env.set("GITHUB_API_URL", &github.base);
        std::fs::create_dir(env.root().join("secrets")).expect("mkdir");
        let browser =
            reqwest::Client::builder().user_agent("it").redirect(Policy::none()).no_proxy().build().expect("a browser");
        Self { env, github, browser }
    }

    /// With a recipient, whose identity is at hand.
    async fn encrypting() -> Self {
        let mut desk = Self::new().await;
        let (identity, public) = identity();
        desk.env.write("secrets/age-recipients.txt", &format!("{public}\n"));
        desk.env.set("SOPS_AGE_KEY", &identity);
        desk
    }

    /// Starts `new-app` on a free port.
    fn new_app(&self, line: &str) -> Running {
        let words: Vec<&str> = ["new-app"].into_iter().chain(line.split_whitespace()).chain(["--port", "0"]).collect();
        self.env.start(&words)
    }

    /// What the browser gets.
    pub async fn get(&self, url: &str) -> Got {
        self.got(self.browser.get(url)).await
    }

    async fn got(&self, request: reqwest::RequestBuilder) -> Got {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let policy = answer.headers().get("content-security-policy");
        let policy = policy.map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default();
        Got { status, html: answer.text().await.expect("text"), policy }
    }

    /// Presses the page's button and GitHub's; where GitHub sends the browser.
    pub async fn create(&self, page: &str) -> String {
        let html = self.get(page).await.html;
        let (action, manifest) = (attribute(&html, "action=\""), attribute(&html, "name=\"manifest\" value=\""));
        let confirm = self.browser.post(&action).form(&[("manifest", &manifest)]).send().await.expect("an answer");
        assert_eq!(confirm.status().as_u16(), 200);
        let html = confirm.text().await.expect("text");
        let fields = ["manifest", "state", "name"].map(|name| {
            (name, attribute(&html[html.find(&format!("name=\"{name}\"")).expect("a field")..], "value=\""))
        });
        let target = format!("{}{}", self.github.base, attribute(&html, "action=\""));
        let created = self.browser.post(target).form(&fields).send().await.expect("an answer");
        let location = created.headers().get("location").expect("a redirect").to_str().expect("text");
        location.to_owned()
    }

    /// Waits for `page`, creates the App there, and installs it on `account`.
    pub async fn person_creates(&self, page: &str, slug: &str, account: &str) {
        while self.browser.get(page).send().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let code = self.create(page).await;
        assert_eq!(self.get(&code).await.status, 200);
        self.github.person.install(slug, account, None).await.expect("installed");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.env.root().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// The text behind `start`, up to the quote, without its escapes.
fn attribute(html: &str, start: &str) -> String {
    let rest = &html[html.find(start).unwrap_or_else(|| panic!("no {start} in {html}")) + start.len()..];
    let text = &rest[..rest.find('"').expect("the end")];
    text.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The mode of a file.
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}
