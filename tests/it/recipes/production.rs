//! From a merged feedstock pull request to production datasets.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::Utc;
use pforge::apps::recipes::jobs::{DeployProd, MergedPull};
use pforge::apps::recipes::rows::attempts::{self, End};
use pforge::apps::recipes::rows::{Conclusion, Provider, bakeries, feedstocks, recipe_runs};
use pforge::emulator::faults::Fault;
use pforge::emulator::person::{Files, OpenPull, OpenedPull, Person};
use pforge::jobs::Job;
use pforge::store::jobs::JobState;
use serde_json::{Value, json};

use super::gate::{Bench, Hold};
use super::stage::{ORG, Stage, local_bakery, recipe_files, seed};
use super::world::META;
use crate::support::pg::{TestDb, on_both};

const FEEDSTOCK: &str = "pangeo-forge/sst-feedstock";
const RECIPES: [&str; 2] = ["sst-daily", "sst-climatology"];

on_both!(
    a_merge_deploys_each_recipe_and_its_end_is_the_deployments,
    a_feedstocks_pull_request_is_tested_like_any_other,
    what_keeps_a_merge_from_production_is_told,
    one_recipe_that_cannot_be_deployed_does_not_stop_the_others,
);

/// A pull request of the maintainer that adds `files`.
async fn open(person: &Person, branch: &str, files: Files) -> OpenedPull {
    let title = format!("Change {branch}");
    let pull = OpenPull { branch: branch.into(), title, files, user: Some("maintainer".into()), ..OpenPull::default() };
    person.open_pull(FEEDSTOCK, &pull).await.unwrap()
}

async fn feedstock(stage: &Stage) {
    let files = [("README.md".to_owned(), Some("# sst\n".to_owned()))].into();
    stage.person.create_repo(ORG, "sst-feedstock", &files).await.unwrap();
    let (status, body) = stage.world.admin("POST", "/feedstocks/", json!({ "spec": FEEDSTOCK })).await;
    assert_eq!(status, 200, "{body}");
}

async fn runs(stage: &Stage, is_test: bool) -> Vec<Value> {
    let runs = stage.world.get("/recipe_runs/").await;
    runs.as_array().unwrap().iter().filter(|run| run["is_test"] == is_test).cloned().collect()
}

/// The deployments of a commit with their statuses, oldest first.
async fn deployments(client: &pforge::github::Client, sha: &str) -> Vec<(Value, Vec<Value>)> {
    let get = async |path: String| -> Vec<Value> {
        let call = client.repository(FEEDSTOCK, None).call(http::Method::GET, &path).unwrap();
        client.list(&call.query("per_page", 100)).await.unwrap()
    };
    let mut all = Vec::new();
    for deployment in get("deployments".into()).await.into_iter().rev().filter(|d| d["sha"] == sha) {
        let statuses = get(format!("deployments/{}/statuses", deployment["id"])).await;
        all.push((deployment, statuses.into_iter().rev().collect()));
    }
    all
}

fn states(statuses: &[Value]) -> Vec<&str> {
    statuses.iter().map(|status| status["state"].as_str().unwrap()).collect()
}

async fn told(person: &Person, number: i64) -> Vec<String> {
    let comments = person.comments(FEEDSTOCK, number).await.unwrap();
    let ours = comments.iter().filter(|comment| comment["user"]["type"] == "Bot");
    ours.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
}

/// Rows 37 and 38.
async fn a_merge_deploys_each_recipe_and_its_end_is_the_deployments(database: TestDb) {
    let stage = Stage::start(database).await;
    feedstock(&stage).await;
    let pull = open(&stage.person, "sst", recipe_files("feedstock", META)).await;
    stage.settled().await;
    let sha = stage.person.merge(FEEDSTOCK, pull.number).await.unwrap();
    stage.settled().await;
    let runs = runs(&stage, false).await;
    assert_eq!(runs.iter().map(|run| run["recipe_id"].as_str().unwrap()).collect::<Vec<_>>(), RECIPES);
    let deployed = deployments(&stage.client, &sha).await;
    assert_eq!(deployed.len(), 2);
    for ((deployment, statuses), run) in deployed.iter().zip(&runs) {
        assert_eq!((&run["head_sha"], &run["feedstock_id"]), (&json!(sha), &json!(2)));
        assert_eq!(deployment["environment"], run["recipe_id"]);
        assert_eq!(deployment["payload"]["recipe_run_id"], run["id"]);
        let message: Value = serde_json::from_str(run["message"].as_str().unwrap()).unwrap();
        assert_eq!(message["deployment_id"], deployment["id"]);
        let host = stage.world.url.trim_start_matches("http://");
        let page = format!("/recipe-run/{}?feedstock_id=2&orchestratorEndpoint={host}", run["id"]);
        assert!(message["environment_url"].as_str().unwrap().ends_with(&page), "{message}");
        assert_eq!(states(statuses), ["queued", "in_progress", "success"], "{statuses:?}");
        for status in statuses {
            assert_eq!(status["environment_url"], message["environment_url"]);
            assert_eq!(status["log_url"], format!("{}/recipe_runs/{}/logs", stage.world.url, run["id"]));
        }
        assert_eq!((&run["status"], &run["conclusion"]), (&json!("completed"), &json!("success")), "{run}");
        let place = format!("target/pforge-test/{FEEDSTOCK}/{}.zarr", run["recipe_id"].as_str().unwrap());
        assert!(run["dataset_public_url"].as_str().unwrap().ends_with(&place), "{run}");
        assert!(stage.folder.path().join(place).join(".zgroup").exists());
    }
    let comments = told(&stage.person, pull.number).await;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].starts_with(&format!(":rocket: Production runs at {sha}:\n\n- `sst-daily`: [recipe run ")));
    let datasets = stage.world.get("/feedstocks/2/datasets?type=production").await;
    assert_eq!(datasets.as_array().unwrap().len(), 2, "{datasets}");

    // The next one fails at its bakery, which reports that; it is told where there is room for it.
    let broken = "raise ValueError(\"no such variable\")\n";
    let files = [("feedstock/recipe.py".to_owned(), Some(broken.to_owned()))].into();
    let pull = open(&stage.person, "broken", files).await;
    let sha = stage.person.merge(FEEDSTOCK, pull.number).await.unwrap();
    stage.settled().await;
    for (deployment, statuses) in deployments(&stage.client, &sha).await {
        assert_eq!(states(&statuses), ["queued", "in_progress", "failure"], "{deployment}");
        assert!(statuses[2]["description"].as_str().unwrap().contains("no such variable"), "{statuses:?}");
    }
    let comments = told(&stage.person, pull.number).await;
    assert_eq!(comments.len(), 3, "{comments:?}");
    let failed = comments.iter().filter(|c| c.starts_with(":x: The production run of") && c.contains("<summary>Trace"));
    assert_eq!(failed.count(), 2, "{comments:?}");
    assert_eq!(stage.person.unknown().await.unwrap(), Vec::<Value>::new());
}

/// Row 39.
async fn a_feedstocks_pull_request_is_tested_like_any_other(database: TestDb) {
    let stage = Stage::start(database).await;
    feedstock(&stage).await;
    let pull = open(&stage.person, "sst", recipe_files("feedstock", META)).await;
    let check = stage.concluded(FEEDSTOCK, &pull.head.sha, "synchronize").await;
    assert_eq!(check["conclusion"], "success", "{check}");
    stage.person.comment(FEEDSTOCK, pull.number, "/run sst-daily", Some("maintainer")).await.unwrap();
    stage.settled().await;
    let tests = runs(&stage, true).await;
    assert_eq!(tests.len(), 2);
    assert_eq!(tests[0]["conclusion"], "success", "{tests:?}");
    let comments = told(&stage.person, pull.number).await;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].starts_with(":tada: The test run of `sst-daily`"), "{}", comments[0]);
    let sha = stage.person.merge(FEEDSTOCK, pull.number).await.unwrap();
    stage.settled().await;
    assert_eq!(deployments(&stage.client, &sha).await.len(), 2);
    assert_eq!(runs(&stage, false).await.len(), 2);
}

async fn what_keeps_a_merge_from_production_is_told(database: TestDb) {
    let stage = Stage::start(database).await;
    feedstock(&stage).await;
    let files = |path: &str, text: &str| -> Files { [(path.to_owned(), Some(text.to_owned()))].into() };
    for (branch, files, said, words) in [
        ("readme", files("README.md", "# new\n"), "Not a recipes PR. Skipping.", None),
        (
            "empty",
            files("feedstock/recipe.py", "x\n"),
            "no such file",
            Some("feedstock/meta.yaml: there is no such file"),
        ),
        (
            "code",
            recipe_files("feedstock", "recipes: {dict_object: 'recipe:all'}\nbakery: {id: local-test-bakery}\n"),
            "nothing was started",
            // Its code was executed: what is merged has been looked at.
            Some("recipe.py has no dictionary all"),
        ),
        (
            "bakery",
            recipe_files("feedstock", &META.replace("local-test-bakery", "elsewhere")),
            "does not know the bakery elsewhere",
            Some("bakery elsewhere"),
        ),
    ] {
        let pull = open(&stage.person, branch, files).await;
        stage.settled().await;
        stage.person.merge(FEEDSTOCK, pull.number).await.unwrap();
        stage.settled().await;
        let jobs = stage.world.jobs().await;
        let job = jobs.iter().find(|job| job.kind == "recipes.deploy_prod").unwrap();
        assert_eq!(job.state, JobState::Done, "{job:?}");
        assert!(job.outcome.as_deref().unwrap().contains(said), "{branch}: {job:?}");
        let comments = told(&stage.person, pull.number).await;
        match words {
            None => assert_eq!(comments, Vec::<String>::new()),
            Some(words) => assert!(
                comments.len() == 1 && comments[0].starts_with(":x: ") && comments[0].contains(words),
                "{branch}: {comments:?}"
            ),
        }
    }
    // What the job cannot do for good is told by its last words.
    let pull = open(&stage.person, "denied", recipe_files("feedstock", META)).await;
    stage.settled().await;
    let path = Some(format!("/repos/{FEEDSTOCK}/contents/*"));
    let fault = Fault { method: Some("GET".into()), path, status: Some(403), ..Fault::default() };
    stage.person.fault(&fault).await.unwrap();
    stage.person.merge(FEEDSTOCK, pull.number).await.unwrap();
    stage.settled().await;
    let comments = told(&stage.person, pull.number).await;
    assert!(comments.len() == 1 && comments[0].contains("403"), "{comments:?}");
    let jobs = stage.world.jobs().await;
    assert!(jobs.iter().any(|job| job.kind == "recipes.deploy_prod" && job.state == JobState::Dead), "{jobs:?}");
    assert_eq!(runs(&stage, false).await, Vec::<Value>::new());
}

async fn one_recipe_that_cannot_be_deployed_does_not_stop_the_others(database: TestDb) {
    let stage = Stage::start(database).await;
    feedstock(&stage).await;
    let pull = open(&stage.person, "sst", recipe_files("feedstock", META)).await;
    stage.settled().await;
    let fault = Fault {
        method: Some("POST".into()),
        path: Some(format!("/repos/{FEEDSTOCK}/deployments")),
        count: Some(1),
        status: Some(422),
        ..Fault::default()
    };
    stage.person.fault(&fault).await.unwrap();
    let sha = stage.person.merge(FEEDSTOCK, pull.number).await.unwrap();
    stage.settled().await;
    let runs = runs(&stage, false).await;
    let ends: Vec<_> = runs.iter().map(|run| (run["status"].as_str(), run["conclusion"].as_str())).collect();
    assert_eq!(ends, [(Some("completed"), Some("failure")), (Some("completed"), Some("success"))], "{runs:?}");
    assert_eq!(deployments(&stage.client, &sha).await.len(), 1);
    let comments = told(&stage.person, pull.number).await;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].contains("- `sst-daily`: not started. `POST "), "{}", comments[0]);
    assert!(comments[0].contains("- `sst-climatology`: [recipe run "), "{}", comments[0]);
}

/// Killed at each of its calls to GitHub, before it takes effect and after, nothing is made twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_call_it_resumes_without_duplicates() {
    let database = TestDb::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let bakery = [("local-test-bakery".to_owned(), local_bakery(&folder))].into();
    let bench = Bench::start(database.db.clone(), seed("http://127.0.0.1:9/github/hooks/"), bakery).await;
    feedstocks::insert(&bench.db, FEEDSTOCK, Provider::Github).await.unwrap();
    bakeries::insert(&bench.db, "local", "local-test-bakery", "").await.unwrap();
    bench.person.create_repo(ORG, "sst-feedstock", &recipe_files("feedstock", META)).await.unwrap();
    let register = |registry: &mut pforge::jobs::Registry, cx: &Arc<_>| registry.register::<DeployProd>(Arc::clone(cx));
    let (mut case, mut seen) = (0, BTreeSet::new());
    for after in [false, true] {
        for call in 0.. {
            case += 1;
            let files = [("feedstock/recipe.py".to_owned(), Some(format!("# {case}\n")))].into();
            let pull = open(&bench.person, &format!("case-{case}"), files).await;
            let sha = bench.person.merge(FEEDSTOCK, pull.number).await.unwrap();
            let api = format!("{}/repos/{FEEDSTOCK}", bench.gate.url);
            let merged = MergedPull {
                base_full_name: FEEDSTOCK.into(),
                base_html_url: format!("{}/{FEEDSTOCK}", bench.gate.url),
                base_api_url: api,
                base_ref: "main".into(),
                pr_number: pull.number,
                merge_commit_sha: sha.clone(),
                installation_id: None,
            };
            let job = DeployProd(merged).queued(None, format!("case {case}")).unwrap();
            let (job, killed) = bench.killed_at(job, Some(Hold { call, after }), register).await;
            let calls = bench.gate.calls();
            let at = format!("killed at {call} (after: {after}): {calls:?}");
            assert_eq!((job.state, job.attempts), (JobState::Done, 1 + u32::from(killed)), "{at}\n{job:?}");
            assert_eq!(job.outcome.as_deref(), Some("2 of 2 production runs queued"));
            bench.gate.hold(None);
            let deployed = deployments(&bench.client, &sha).await;
            let environments: Vec<_> = deployed.iter().map(|(deployment, _)| &deployment["environment"]).collect();
            assert_eq!(environments, RECIPES, "{at}");
            for (_, statuses) in &deployed {
                assert_eq!(states(statuses), ["queued"], "{at}");
            }
            let comments = told(&bench.person, pull.number).await;
            assert_eq!(comments.len(), 1, "{at}\n{comments:?}");
            let bakes = bench.jobs("recipes.bake").await;
            assert_eq!(bakes.len(), case * 2, "{at}");
            if !killed {
                break;
            }
            seen.insert(calls[call].split(['?', ' ']).next().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(seen, BTreeSet::from(["GET".to_owned(), "POST".to_owned()]));
    assert_eq!(recipe_runs::count(&bench.db).await.unwrap(), i64::try_from(case * 2).unwrap());

    // The same merge delivered by another hook starts nothing again, not even what is over.
    let runs = recipe_runs::of_feedstock(&bench.db, 1).await.unwrap();
    let last = runs.last().unwrap();
    let end = End { conclusion: Conclusion::Failure, reason: None, trace: None, dataset_public_url: None };
    assert!(attempts::end(&bench.db, last.id, 1, &end, Utc::now()).await.unwrap());
    let pulls = bench.jobs("recipes.deploy_prod").await;
    let again: DeployProd = serde_json::from_value(pulls[0].payload.clone()).unwrap();
    let (job, _) = bench.killed_at(again.queued(None, "again".into()).unwrap(), None, register).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!(bench.jobs("recipes.bake").await.len(), case * 2);
    assert_eq!(told(&bench.person, again.0.pr_number).await.len(), 1);
}
