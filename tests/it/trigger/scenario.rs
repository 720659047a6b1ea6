//! Against `pforge serve` and the emulator: deliveries become jobs, and scenarios wait for them.

use std::process::Stdio;

use pforge::emulator::Seed;
use pforge::emulator::person::OpenPull;
use pforge::emulator::state::Level;
use serde_json::{Value, json};

use crate::emulator::support::{APP_ID, Emulator, REPO, as_app, files, installed, permissions};
use crate::support::world::{Serve, Site};

struct Stage {
    emulator: Emulator,
    site: Site,
    serve: Serve,
    number: i64,
    sha: String,
    installation: String,
}

impl Stage {
    async fn start() -> Self {
        let write = ["checks", "contents", "pull_requests", "issues"].map(|name| (name, Level::Write));
        let (seed, pem): (Seed, _) = installed(permissions(&write), &[], None);
        let emulator = Emulator::start(seed).await;
        let meta = "title: t\nrecipes:\n  - {id: sst, object: 'recipe:sst'}\nbakery: {id: local-test-bakery}\n";
        let pull = OpenPull {
            branch: "recipe".into(),
            title: "Recipe".into(),
            files: files(&[("recipes/sst/meta.yaml", meta), ("recipes/sst/recipe.py", "sst = 1\n")]),
            ..OpenPull::default()
        };
        let pull = emulator.person.open_pull(REPO, &pull).await.unwrap();
        let installation =
            as_app(&emulator.base, &pem, &APP_ID.to_string()).get("/app/installations").await.body[0]["id"].clone();
        let site = Site::new(&emulator.base, APP_ID, pem.expose(), None);
        let serve = tokio::task::block_in_place(|| site.serve(&[]));
        Self { emulator, site, serve, number: pull.number, sha: pull.head.sha, installation: installation.to_string() }
    }

    /// Runs `pforge trigger` against the server.
    async fn trigger(&self, args: &[&str]) -> (Vec<Value>, String, Option<i32>) {
        let mut command = tokio::process::Command::from(self.site.command());
        command
            .args(["trigger", "--installation", &self.installation, "--json"])
            .args(args)
            .env("PFORGE_SERVER", &self.serve.url);
        command.env("SHA", &self.sha).env("PULL", self.number.to_string());
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).output().await.unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let documents = serde_json::Deserializer::from_str(&stdout).into_iter().map(Result::unwrap).collect();
        (documents, String::from_utf8(output.stderr).unwrap(), output.status.code())
    }

    fn write(&self, text: &str) -> String {
        let path = self.site.root.path().join("scenario.yaml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_become_jobs_and_scenarios_wait_for_them() {
    let stage = Stage::start().await;
    let sha = format!("pull_request.head.sha={}", stage.sha);
    let number = format!("pull_request.number={}", stage.number);
    let (told, stderr, code) = stage.trigger(&["pull_request.opened", "--set", &sha, "--set", &number]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!((&told[0]["event"], &told[0]["status"]), (&json!("pull_request.opened"), &json!(202)));
    assert_eq!(told[0]["jobs"][0]["kind"], "recipes.synchronize", "{}", told[0]);
    let guid = told[0]["delivery"].as_str().unwrap();

    // What was stored is what was sent: begin with it, and say something else.
    let (told, stderr, code) =
        stage.trigger(&["--from", &guid[..8], "--local", "--set", "pull_request.title=Cleanup"]).await;
    assert_eq!((code, &told[0]["event"]), (Some(0), &json!("pull_request.opened")), "{stderr}");

    let scenario = stage.write(
        "name: a story\nrepo: pangeo-forge/staged-recipes\nsteps:\n  - id: pr\n    event: pull_request.synchronize\n    \
         set:\n      pull_request.number: ${env:PULL}\n      pull_request.head.sha: ${env:SHA}\n    expect:\n      \
         status: 202\n      jobs: {recipes.synchronize: done}\n  - event: issue_comment\n    delay: 10ms\n    set:\n      \
         comment.body: 'about #${pr.pull_request.number}: ${pr.after}'\n      issue.number: ${pr.number}\n    \
         expect: {jobs: {}}\n  - event: pull_request.opened\n    set: {repository.name: other, \
         pull_request.base.repo.name: other}\n    expect: {jobs: {recipes.synchronize: queued}}\n  - event: push\n",
    );
    let (told, stderr, code) = stage.trigger(&["--scenario", &scenario]).await;
    assert_eq!(told[0]["type"], "ready");
    assert_eq!(told[1]["jobs"][0]["state"], "done", "{}", told[1]);
    assert_eq!((&told[2]["event"], &told[2]["ok"]), (&json!("issue_comment.created"), &json!(true)));
    // The third one is about another repository, becomes no job, and the fourth is not sent.
    assert_eq!((told.len(), &told[3]["ok"], code), (4, &json!(false), Some(1)), "{stderr}");
    let wrong: Value = serde_json::from_str(&stderr).unwrap();
    let message = wrong["error"]["message"].as_str().unwrap();
    assert!(message.ends_with("scenario.yaml:18: step 3 failed"), "{message}");
    assert_eq!(wrong["error"]["causes"][0], "it did not become a job recipes.synchronize");

    let comment = told[2]["delivery"].as_str().unwrap();
    let stored =
        crate::support::world::Api::new(&stage.serve.url).bytes(&format!("/deliveries/{comment}/payload")).await;
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored["comment"]["body"], format!("about #{}: {}", stage.number, stage.sha));
    assert_eq!(stored["issue"]["number"], stage.number);

    // The example that is shipped.
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scenarios/recipe.yaml");
    let (told, stderr, code) = stage.trigger(&["--scenario", example]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(told.last().unwrap()["type"], "summary");
    stage.emulator.stop().await;
}
