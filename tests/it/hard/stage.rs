//! An emulator, an App installed there, and a person's home with the App's config.

use std::sync::OnceLock;

use pforge::emulator::state::Level;
use pforge::util::Secret;
use regex::Regex;

use crate::emulator::support::{APP_ID, Emulator, installed, permissions};
use crate::support::env::{Env, Output};

/// The slug that the emulator gives the App.
pub const SLUG: &str = "seeded";

/// Both, with the App's key.
pub struct Stage {
    pub emulator: Emulator,
    pub env: Env,
    /// The App's only installation.
    pub installation: i64,
}

impl Stage {
    pub async fn set() -> Self {
        let may = permissions(&[("issues", Level::Write), ("checks", Level::Read)]);
        let (seed, pem) = installed(may, &["issues"], Some("https://hooks.example.org/github/hooks/"));
        let emulator = Emulator::start(seed).await;
        let mut env = Env::new();
        env.write("secrets/config.pforge-local-alice.yaml", &config(&pem));
        env.set("PANGEO_FORGE_DEPLOYMENT", "pforge-local-alice");
        env.set("GITHUB_API_URL", &emulator.base);
        let app = crate::emulator::support::as_app(&emulator.base, &pem, &APP_ID.to_string());
        let installation = app.get("/app/installations").await.body[0]["id"].as_i64().unwrap();
        Self { emulator, env, installation }
    }

    /// A command to its end, while the emulator goes on; it never waits for a person.
    pub fn run(&self, line: &str) -> Output {
        tokio::task::block_in_place(|| self.env.line(line))
    }

    /// The whole outputs of these commands.
    pub fn shown(&self, lines: &[&str]) -> String {
        lines.iter().map(|line| steady(&self.run(line).to_string())).collect::<Vec<_>>().join("\n")
    }

    /// How often GitHub was asked for `path` by pforge.
    pub async fn asked(&self, path: &str) -> usize {
        let calls = self.emulator.person.calls().await.unwrap();
        let ours = |call: &&serde_json::Value| {
            call["path"] == path && call["user_agent"].as_str().is_some_and(|agent| agent.starts_with("pforge/"))
        };
        calls.iter().filter(ours).count()
    }
}

fn config(pem: &Secret) -> String {
    let key = pem.expose().trim().replace('\n', "\n    ");
    format!(
        "github_app:\n  app_name: pforge-local-alice\n  id: {APP_ID}\n  webhook_secret: It's a Secret to Everybody\n  \
         private_key: |\n    {key}\n"
    )
}

/// Without what differs from run to run beyond the filters of all outputs.
pub fn steady(text: &str) -> String {
    static FILTERS: OnceLock<Vec<(Regex, &'static str)>> = OnceLock::new();
    let filters = FILTERS.get_or_init(|| {
        [
            (r"Iv23li[0-9a-f]+", "[CLIENT ID]"),
            (r"SHA256:[A-Za-z0-9+/]+=*", "[FINGERPRINT]"),
            (r"installations/\d+", "installations/[ID]"),
            (r"installation \d+", "installation [ID]"),
            (r"\bOrganization  \d+", "Organization  [ID]"),
            // Several calls go at once, and the first that is refused is told.
            (r"error: GET /app(/installations|/hook/config)?: ", "error: GET /app[…]: "),
            (r"skew_s=-?\d+", "skew_s=[S]"),
            (r"ghs_\w+", "[TOKEN]"),
        ]
        .map(|(pattern, by)| (Regex::new(pattern).unwrap(), by))
        .into()
    });
    filters.iter().fold(text.to_owned(), |text, (pattern, by)| pattern.replace_all(&text, *by).into_owned())
}
