//! The story: a contributor opens a pull request with a mistake, mends it, and somebody tries to
//! cheat. Every line that is told was checked from the outside, over HTTP.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::narrator::{Checks, Narrator};
use super::stage::{self, Running};
use crate::cli::api::Api;
use crate::cli::config::Sourced;
use crate::cli::error::{Error, Result};
use crate::cli::ui::{Tone, Ui};
use crate::emulator::person::{Files, NewApp, OpenPull, OpenedPull, Person, RawDelivery};
use crate::emulator::seed::{Seed, SeedUser};
use crate::github;
use crate::github::api::apps::HookChange;
use crate::util::{Secret, id, text};

/// How long any step may wait.
const PATIENCE: Duration = Duration::from_secs(10);
const ORG: &str = "pangeo-forge-demo";
const FEEDSTOCK: &str = "sst-feedstock";
const REPO: &str = "pangeo-forge-demo/sst-feedstock";
const BRANCH: &str = "add-recipe";

/// The files that the contributor adds: the example in `examples/feedstock`.
const EXAMPLE: [(&str, &str); 3] = [
    ("feedstock/meta.yaml", include_str!("../../../examples/feedstock/feedstock/meta.yaml")),
    ("feedstock/recipe.py", include_str!("../../../examples/feedstock/feedstock/recipe.py")),
    ("feedstock/requirements.txt", include_str!("../../../examples/feedstock/feedstock/requirements.txt")),
];
/// The first version has a typo where the recipes should be.
const MISTAKE: (&str, &str) = ("\nrecipes:", "\nrecipe:");

/// What is still up after the story.
pub struct Ending {
    /// The server.
    pub server: Running,
    /// The emulator.
    pub github: Running,
    /// The server's admin key.
    pub api_key: Secret,
}

impl Ending {
    /// Ends everything.
    ///
    /// # Errors
    /// What did not end well.
    pub async fn end(self) -> Result {
        let server = self.server.stop().await;
        let github = self.github.stop().await;
        server.map_err(|error| error.context("the server"))?;
        github.map_err(|error| error.context("the emulator"))
    }
}

/// Who is on the stage.
struct Scene {
    person: Person,
    app: NewApp,
    client: github::Client,
    api: Api,
    hook: String,
}

/// Plays the story, with its database in `folder`.
///
/// # Errors
/// At the first step that does not hold.
pub async fn play(ui: &Ui, folder: &Path) -> Result<Ending> {
    let seed = Seed {
        users: ["maintainer", "contributor"].map(|login| SeedUser { login: login.to_owned(), token: None }).to_vec(),
        orgs: vec![ORG.to_owned()],
        ..Seed::default()
    };
    let github = stage::start_github(seed).await?;
    let person = Person::new(github.url.as_str())?;
    if !ui.json() {
        ui.line(format!(
            "{} · offline: a local GitHub, a server, a temporary database\n",
            ui.paint_out(Tone::Strong, "pforge demo")
        ))?;
    }
    let mut tell = Narrator::new(ui);

    let (app, client) = tell
        .step("app", "A maintainer creates the App", async |checks| {
            let app = person.register_app(Some(ORG), &manifest()).await?;
            let client = stage::client(&github.url, &app)?;
            let seen = client.app().await?;
            checks.holds(format!("GET /app by JWT names {} (#{})", app.slug, app.id), seen.id == app.id, &seen)?;
            let secret = app.webhook_secret.as_ref().map(Secret::fingerprint).unwrap_or_default();
            checks.holds(format!("webhook secret {secret}"), app.webhook_secret.is_some(), ())?;
            Ok((app, client))
        })
        .await?;

    let api_key = Secret::new(id::random_hex(16)?);
    let (server, api) = tell
        .step("serve", "pforge serve starts", async |checks| {
            let server = stage::start_server(folder, &app, client.clone(), api_key.clone()).await?;
            let api = Api::new(&Sourced::default(server.url.clone()), api_key.clone())?;
            let ready = api.get("/readyz", &[]).await?;
            checks.holds("schema migrated, database ready", true, &ready)?;
            let root = api.get("/", &[]).await?;
            checks.holds(format!("{} answers", server.url), root == json!({ "status": "ok" }), &root)?;
            Ok((server, api))
        })
        .await?;
    let hook = format!("{}/github/hooks/", server.url);
    let scene = Scene { person, app, client, api, hook };

    tell.step("webhook", "The webhook URL is registered", async |checks| scene.register_hook(checks).await).await?;
    tell.step("install", "The App is installed", async |checks| scene.install(checks).await).await?;
    tell.step("register", "The feedstock is registered", async |checks| scene.register_feedstock(checks).await).await?;
    let pull =
        tell.step("open", "A contributor opens a PR with a typo", async |checks| scene.open(checks).await).await?;
    let fixed =
        tell.step("fix", "The typo is mended and pushed", async |checks| scene.fix(checks, &pull).await).await?;
    tell.step("forge", "Somebody forges a delivery", async |checks| scene.forge(checks).await).await?;
    tell.step("redeliver", "GitHub delivers the fix again", async |checks| scene.redeliver(checks, &fixed).await)
        .await?;
    let stored = tell.step("settle", "Nothing is left over", async |checks| scene.settle(checks).await).await?;
    tell.summary(&format!("{}, none lost, none done twice.", text::plural(stored, "delivery").replace("ys", "ies")))?;
    Ok(Ending { server, github, api_key })
}

fn manifest() -> Value {
    json!({
        "name": "pforge-demo",
        "url": "https://pangeo-forge.org/",
        "hook_attributes": { "url": "https://example.com/github/events" },
        "public": false,
        "default_events": ["issue_comment", "pull_request"],
        "default_permissions": {
            "administration": "write", "checks": "write", "contents": "write", "deployments": "write",
            "issues": "read", "metadata": "read", "pull_requests": "write",
        },
    })
}

fn files(edit: impl Fn(&str) -> String) -> Files {
    EXAMPLE.iter().map(|(path, text)| ((*path).to_owned(), Some(edit(text)))).collect()
}

impl Scene {
    async fn register_hook(&self, checks: &mut Checks) -> Result {
        let before = self.client.hook_config().await?.url.unwrap_or_default();
        let after = self
            .client
            .change_hook_config(&HookChange { url: Some(self.hook.clone()), ..HookChange::default() })
            .await?
            .url
            .unwrap_or_default();
        checks.holds(format!("was {before}"), before.contains("example.com"), &before)?;
        checks.holds(format!("is {after}"), after == self.hook, &after)
    }

    async fn install(&self, checks: &mut Checks) -> Result {
        self.person.create_repo(ORG, FEEDSTOCK, &readme()).await?;
        let installation = self.person.install(&self.app.slug, ORG, Some(&[FEEDSTOCK])).await?;
        let listed = self.client.installations().await?;
        checks.holds(format!("installation {installation} on {REPO}"), listed.len() == 1, &listed)?;
        let delivery = self.answered("installation", "created").await?;
        checks.holds(
            "its webhook is answered 501, as for every event without a handler",
            delivery["status_code"] == 501,
            &delivery,
        )?;
        self.stored(&delivery).await?;
        checks.holds("and kept", true, ())
    }

    async fn register_feedstock(&self, checks: &mut Checks) -> Result {
        let feedstock = self.api.post("/feedstocks/", &[], Some(&json!({ "spec": REPO }))).await?;
        checks.holds(format!("feedstock {REPO} (#{})", feedstock["id"]), feedstock["spec"] == REPO, &feedstock)?;
        let bakery = json!({ "name": "local-test-bakery", "region": "local", "description": "A great bakery." });
        let bakery = self.api.post("/bakeries/", &[], Some(&bakery)).await?;
        checks.holds(format!("bakery local-test-bakery (#{})", bakery["id"]), bakery["id"].is_i64(), &bakery)
    }

    async fn open(&self, checks: &mut Checks) -> Result<OpenedPull> {
        let pull = OpenPull {
            branch: BRANCH.to_owned(),
            title: "Add sea surface temperature".to_owned(),
            files: files(|text| text.replacen(MISTAKE.0, MISTAKE.1, 1)),
            user: Some("contributor".to_owned()),
            ..OpenPull::default()
        };
        let pull = self.person.open_pull(REPO, &pull).await?;
        let delivery = self.answered("pull_request", "opened").await?;
        checks.holds(format!("PR #{} answered 202", pull.number), delivery["status_code"] == 202, &delivery)?;
        self.stored(&delivery).await?;
        checks.holds("stored byte for byte", true, ())?;
        let run = self.concluded(&pull.head.sha).await?;
        let summary = run["output"]["summary"].as_str().unwrap_or_default();
        checks.holds(
            format!("check run concluded: failure, “{}”", text::truncate(summary, 60)),
            run["conclusion"] == "failure",
            &run,
        )?;
        Ok(pull)
    }

    async fn fix(&self, checks: &mut Checks, pull: &OpenedPull) -> Result<Value> {
        let sha = self.person.push(REPO, BRANCH, &files(str::to_owned), Some("contributor")).await?;
        let delivery = self.answered("pull_request", "synchronize").await?;
        checks.holds("answered 202", delivery["status_code"] == 202, &delivery)?;
        self.stored(&delivery).await?;
        let run = self.concluded(&sha).await?;
        checks.holds("check run concluded: success", run["conclusion"] == "success", &run)?;
        let runs = self.api.get("/recipe_runs/", &[]).await?;
        let queued: Vec<&Value> = runs
            .as_array()
            .into_iter()
            .flatten()
            .filter(|r| r["head_sha"] == *sha && r["status"] == "queued")
            .collect();
        let names = queued.iter().filter_map(|r| r["recipe_id"].as_str()).collect::<Vec<_>>().join(", ");
        checks.holds(format!("2 recipe runs queued for #{}: {names}", pull.number), queued.len() == 2, &runs)?;
        let summary = run["output"]["summary"].as_str().unwrap_or_default();
        let linked = queued.iter().all(|r| summary.contains(&format!("/recipe-run/{}?", r["id"])));
        checks.holds("both linked from it", linked, summary)?;
        Ok(delivery)
    }

    async fn forge(&self, checks: &mut Checks) -> Result {
        let guid = id::guid();
        let forged = RawDelivery {
            event: "pull_request".to_owned(),
            guid: Some(guid.clone()),
            payload: json!({ "action": "opened", "number": 1 }),
            secret: Some("not the secret".to_owned()),
            ..RawDelivery::default()
        };
        self.person.send_raw(&forged).await?;
        let seen = self.settled().await?;
        let forged = seen.iter().find(|d| d["guid"] == *guid).cloned().unwrap_or_default();
        checks.holds("wrong signature answered 401", forged["status_code"] == 401, &forged)?;
        let stored = self.api.get("/deliveries", &[("limit", "1000".to_owned())]).await?;
        let there = stored["items"].as_array().into_iter().flatten().any(|d| d["guid"] == *guid);
        checks.holds("nothing of it stored", !there, &stored)
    }

    async fn redeliver(&self, checks: &mut Checks, delivery: &Value) -> Result {
        let guid = delivery["guid"].as_str().unwrap_or_default();
        let before = self.api.get(&format!("/deliveries/{guid}"), &[]).await?;
        self.client.redeliver(delivery["id"].as_i64().unwrap_or_default()).await?;
        let seen = self.settled().await?;
        let again = seen.iter().filter(|d| d["guid"] == *guid).count();
        checks.holds("same GUID", again == 2, &seen)?;
        let after = self.api.get(&format!("/deliveries/{guid}"), &[]).await?;
        checks.holds("stored as attempt 2", after["attempts"] == 2, &after["attempts"])?;
        let ids = |d: &Value| d["jobs"].as_array().map(|jobs| jobs.iter().map(|j| j["id"].clone()).collect::<Vec<_>>());
        checks.holds("no new job", ids(&before) == ids(&after), ids(&after))?;
        let sha = delivery["payload"]["pull_request"]["head"]["sha"].as_str().unwrap_or_default();
        let runs = self.person.check_runs(REPO, sha).await?;
        checks.holds("still one check run", runs.len() == 1, runs.len())
    }

    async fn settle(&self, checks: &mut Checks) -> Result<u64> {
        let jobs = self.api.get("/jobs", &[("limit", "1000".to_owned())]).await?;
        let jobs = jobs["items"].as_array().cloned().unwrap_or_default();
        let done = jobs.iter().filter(|j| j["state"] == "done").count();
        checks.holds(
            format!("{} done, none waiting, none dead", text::plural(done as u64, "job")),
            done == jobs.len(),
            &jobs,
        )?;
        let unknown = self.person.unknown().await?;
        checks.holds("GitHub understood every call", unknown.is_empty(), &unknown)?;
        let sent = self.settled().await?;
        let stored = self.api.get("/deliveries", &[("limit", "1000".to_owned())]).await?;
        let stored = stored["items"].as_array().cloned().unwrap_or_default();
        for delivery in sent.iter().filter(|d| d["status_code"] != 401 && d["event"] != "ping") {
            let there = stored.iter().any(|s| s["guid"] == delivery["guid"]);
            checks_only(there, delivery)?;
        }
        Ok(stored.len() as u64)
    }

    /// The newest delivery of this event, once it was answered.
    async fn answered(&self, event: &str, action: &str) -> Result<Value> {
        let what = format!("the delivery of {event}.{action}");
        let wanted = |d: &Value| d["event"] == event && d["action"] == action && !d["status"].is_null();
        let look = async |p: &Person| Ok(p.deliveries().await?.into_iter().rev().find(&wanted));
        Ok(self.person.wait_for(&what, PATIENCE, look).await?)
    }

    /// Checks that the server kept exactly the bytes that were sent.
    async fn stored(&self, delivery: &Value) -> Result {
        let guid = delivery["guid"].as_str().unwrap_or_default();
        let kept = self.api.bytes(&format!("/deliveries/{guid}/payload")).await?;
        let sent = delivery["body"].as_str().unwrap_or_default();
        checks_only(!sent.is_empty() && kept == sent.as_bytes(), guid)
    }

    /// The check run of `sha`, once it is completed.
    async fn concluded(&self, sha: &str) -> Result<Value> {
        Ok(self.person.wait_for_check_run(REPO, sha, PATIENCE, |run| run["status"] == "completed").await?)
    }

    async fn settled(&self) -> Result<Vec<Value>> {
        Ok(self.person.settled(PATIENCE).await?)
    }
}

fn readme() -> Files {
    [("README.md".to_owned(), Some("# A feedstock\n".to_owned()))].into()
}

/// A check that is worth no words when it holds.
fn checks_only(so: bool, seen: impl std::fmt::Debug) -> Result {
    if so { Ok(()) } else { Err(Error::failure("what was stored is not what was sent").because(format!("{seen:?}"))) }
}
