//! Before the first arrow: an App, a server, a registered repository.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::{ADMIN, CONTRIBUTOR, Example, ORG, STAGED};
use crate::cli::api::Api;
use crate::cli::config::Sourced;
use crate::cli::demo::narrator::Narrator;
use crate::cli::demo::scene::Scene;
use crate::cli::demo::stage::{BAKERY, FREE, GitHub, Site};
use crate::cli::env::Env;
use crate::cli::error::{Error, Result};
use crate::emulator::person::{Files, NewApp, Person};
use crate::emulator::seed::{Seed, SeedUser};
use crate::github::api::apps::HookChange;
use crate::github::{self, AppCredentials};
use crate::util::{Clock, Secret, id};

/// What is in GitHub at the start.
pub fn seed() -> Seed {
    Seed {
        users: [ADMIN, CONTRIBUTOR].map(|login| SeedUser { login: login.to_owned(), token: None }).to_vec(),
        orgs: vec![ORG.to_owned()],
        ..Seed::default()
    }
}

/// What is found ready.
pub struct Props<'a> {
    /// A folder for everything.
    pub folder: &'a Path,
    /// GitHub.
    pub github: &'a GitHub,
    /// What is proposed.
    pub example: &'static Example,
    /// What runs recipes.
    pub runner: &'a [String],
    /// How long anything may take.
    pub patience: Duration,
    /// Of this process.
    pub env: &'a Env,
}

/// Sets the scene, and tells it.
///
/// # Errors
/// When something does not hold.
pub async fn open(props: Props<'_>, tell: &mut Narrator<'_>) -> Result<Scene> {
    let person = Person::new(props.github.url.as_str())?;
    let (app, client) = tell
        .aside("app", "the App is created", async |checks| {
            let app = person.register_app(Some(ORG), &manifest()).await?;
            let client = client(&props.github.url, &app)?;
            let seen = client.app().await?;
            checks.holds(format!("GET /app by JWT names {} (#{})", app.slug, app.id), seen.id == app.id, &seen)?;
            let secret = app.webhook_secret.as_ref().map(Secret::fingerprint).unwrap_or_default();
            checks.holds(format!("webhook secret {secret}"), app.webhook_secret.is_some(), ())?;
            Ok((app, client))
        })
        .await?;
    let (site, server, api) = tell
        .aside("serve", "pforge serve starts", async |checks| {
            let api_key = Secret::new(id::random_hex(16)?);
            let site = Site::write(props.folder, &app, &props.github.url, api_key, props.runner, props.env)?;
            let server = site.serve(FREE).await?;
            let api = Api::new(&Sourced::default(server.url.clone()), site.api_key.clone())?;
            let ready = api.get("/readyz", &[]).await?;
            checks.quietly("the schema is migrated", true, &ready)?;
            let root = api.get("/", &[]).await?;
            checks.holds(format!("{} answers", server.url), root == json!({ "status": "ok" }), &root)?;
            Ok((site, server, api))
        })
        .await?;
    let scene = Scene { person, app, client, api, site, server, example: props.example, patience: props.patience };
    tell.aside("webhook", "its webhook URL is registered", async |checks| {
        let url = scene.hook();
        let change = HookChange { url: Some(url.clone()), ..HookChange::default() };
        let after = scene.client.change_hook_config(&change).await?;
        checks.holds(url.clone(), after.url.as_deref() == Some(&url), &after)
    })
    .await?;
    tell.aside("install", "the App is installed, its repository and bakery registered", async |checks| {
        scene.person.create_repo(ORG, "staged-recipes", &readme()).await?;
        let installation = scene.person.install(&scene.app.slug, ORG, None).await?;
        let feedstock = scene.api.post("/feedstocks/", &[], Some(&json!({ "spec": STAGED }))).await?;
        checks.holds(format!("{STAGED} (#{})", feedstock["id"]), feedstock["spec"] == STAGED, &feedstock)?;
        let bakery = json!({ "name": BAKERY, "region": "local", "description": "A folder of this machine." });
        let bakery = scene.api.post("/bakeries/", &[], Some(&bakery)).await?;
        checks.holds(format!("{BAKERY} (#{})", bakery["id"]), bakery["id"].is_i64(), &bakery)?;
        checks.quietly("it is installed", installation > 0, installation)
    })
    .await?;
    Ok(scene)
}

/// A client that speaks as `app`.
fn client(github_url: &str, app: &NewApp) -> Result<github::Client> {
    let api_url = Url::parse(github_url).map_err(|error| Error::failure("not a URL").caused_by(&error))?;
    let credentials = AppCredentials { issuer: app.client_id.clone(), private_key: app.pem.clone() };
    Ok(github::Client::new(github::Config { api_url, credentials, clock: Clock::system() })?)
}

fn manifest() -> Value {
    json!({
        "name": "pforge-demo",
        "url": "https://pangeo-forge.org/",
        "hook_attributes": { "url": "https://example.com/github/events" },
        "public": false,
        "default_events": ["check_run", "issue_comment", "pull_request"],
        "default_permissions": {
            "administration": "write", "checks": "write", "contents": "write", "deployments": "write",
            "issues": "write", "metadata": "read", "pull_requests": "write",
        },
    })
}

fn readme() -> Files {
    [("README.md".to_owned(), Some("# Propose a recipe here\n".to_owned()))].into()
}
