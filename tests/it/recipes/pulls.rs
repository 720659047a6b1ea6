//! Pull requests: check runs, forks, pages of files, reruns.

use std::fs;
use std::time::{Duration, Instant};

use pforge::apps::recipes::Settings;
use pforge::apps::recipes::rows::origin;
use pforge::apps::recipes::settings::{Checkout, RunnerKind, RunnerSettings};
use pforge::emulator::person;
use pforge::store::jobs::JobState;
use serde_json::{Value, json};

use super::stage::{STAGED, Stage, recipe_files};
use super::world::{META, World, pull};
use crate::support::pg::{TestDb, on_both};

on_both!(
    row_25_a_sleeping_runner_delays_no_answer,
    row_26_a_pull_request_gets_its_check_runs_and_queued_runs,
    row_27_what_is_wrong_is_said_in_the_check_run,
    row_28_a_redelivery_is_not_done_twice,
    a_deleted_fork_a_draft_and_a_rerun_are_read_as_any_other,
);

fn named<'a>(checks: &'a [Value], name: &str) -> Vec<&'a Value> {
    checks.iter().filter(|check| check["name"] == name).collect()
}

async fn row_25_a_sleeping_runner_delays_no_answer(database: TestDb) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("runner.sh");
    let line = r#"{"status":"completed","meta":{"recipes":[{"id":"x"}],"bakery":{"id":"local-test-bakery"}}}"#;
    fs::write(&script, format!("sleep 5; echo '{line}'")).unwrap();
    let command = vec!["sh".to_owned(), script.display().to_string()];
    let checkout = Checkout::Runner;
    let runner = RunnerSettings { kind: RunnerKind::Command, checkout, command, ..RunnerSettings::default() };
    let world = World::start(database, Settings { runner, ..Settings::default() }).await;
    world.init("o/gpcp-feedstock").await;
    let begun = Instant::now();
    assert_eq!(world.deliver("pull_request", "g-1", &pull("o/gpcp-feedstock", "abc1")).await.0, 202);
    let answered = begun.elapsed();
    assert!(answered < Duration::from_secs(1), "{answered:?}");
    let jobs = world.drained().await;
    assert!(begun.elapsed() >= Duration::from_secs(5), "the runner did not sleep");
    assert_eq!(jobs[0].state, JobState::Done, "{jobs:?}");
    assert_eq!(world.github.check_runs()[0]["conclusion"], "success");
}

async fn row_26_a_pull_request_gets_its_check_runs_and_queued_runs(database: TestDb) {
    let stage = Stage::start(database).await;
    // The recipes stand behind more than a page of other files, in two folders.
    let mut files: person::Files = (0..120).map(|n| (format!("docs/{n}.md"), Some(format!("{n}\n")))).collect();
    files.extend(recipe_files("recipes/sst", META));
    let other = META.replace("sst-", "ice-");
    files.extend(recipe_files("recipes/ice", &other));
    let pull = person::OpenPull {
        branch: "two".into(),
        title: "Add two".into(),
        files,
        user: Some("contributor".into()),
        fork: true,
        ..person::OpenPull::default()
    };
    let opened = stage.person.open_pull(STAGED, &pull).await.unwrap();
    let sha = &opened.head.sha;
    let check = stage.concluded(STAGED, sha, "synchronize").await;
    assert_eq!(check["conclusion"], "success", "{check}");
    assert_eq!(check["output"]["title"], "Recipe runs queued for latest commit");
    let host = stage.world.url.trim_start_matches("http://");
    let lines: String = (1..=4)
        .map(|id| {
            format!("\n- https://pangeo-forge.org/dashboard/recipe-run/{id}?feedstock_id=1&orchestratorEndpoint={host}")
        })
        .collect();
    assert_eq!(check["output"]["summary"], format!("Recipe runs created at commit `{sha}`:{lines}"));
    stage.settled().await;
    let runs = stage.world.get("/recipe_runs/").await;
    let ids: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["recipe_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["ice-daily", "ice-climatology", "sst-daily", "sst-climatology"]);
    let checks = stage.person.check_runs(STAGED, sha).await.unwrap();
    assert_eq!(checks.len(), 5, "{checks:?}");
    for run in runs.as_array().unwrap() {
        assert_eq!((&run["status"], &run["is_test"], &run["head_sha"]), (&json!("queued"), &json!(true), &json!(sha)));
        let id = run["id"].as_i64().unwrap();
        let own = named(&checks, run["recipe_id"].as_str().unwrap());
        assert_eq!((own.len(), &own[0]["external_id"]), (1, &json!(format!("recipe-run/{id}"))));
        assert_eq!((&own[0]["status"], &own[0]["conclusion"]), (&json!("completed"), &json!("neutral")));
        let origin = origin::get(&stage.world.db, id).await.unwrap().unwrap();
        assert_eq!(origin.repo_html_url.as_deref(), Some(&*format!("{}/contributor/staged-recipes", stage.github_url)));
        assert!(origin.feedstock_subdir.unwrap().starts_with("recipes/"));
        assert_eq!((origin.pr_number, origin.check_run_id), (Some(opened.number), own[0]["id"].as_i64()));
        assert!(origin.installation_id.is_some());
    }
    // Closed and opened again: looked at again, with the same runs and their check runs.
    stage.person.set_open(STAGED, opened.number, false).await.unwrap();
    stage.person.set_open(STAGED, opened.number, true).await.unwrap();
    stage.settled().await;
    let checks = stage.person.check_runs(STAGED, sha).await.unwrap();
    assert_eq!((checks.len(), named(&checks, "synchronize").len()), (6, 2), "{checks:?}");
    assert!(checks.iter().all(|check| check["status"] == "completed"), "{checks:?}");
    assert_eq!(stage.world.get("/stats/recipe_runs").await, json!({ "count": 4 }));
    assert_eq!(stage.person.unknown().await.unwrap(), Vec::<Value>::new());
}

async fn row_27_what_is_wrong_is_said_in_the_check_run(database: TestDb) {
    let stage = Stage::start(database).await;
    let missing = "Feedstock and/or bakery not present in database.";
    let broken = "Synchronize error - click details for summary";
    let cases = [
        (META.replace("recipes:", "recipes: ["), broken, "recipes/case-0/meta.yaml: "),
        (META.replace("local-test-bakery", "no-such-bakery"), missing, "- Bakery `no-such-bakery`: not present."),
        (META.replace("sst-climatology", "sst-daily"), broken, "sst-daily is used twice"),
    ];
    for (number, (meta, title, words)) in cases.into_iter().enumerate() {
        let name = format!("case-{number}");
        let pull = person::OpenPull {
            branch: name.clone(),
            title: format!("Add {name}"),
            files: recipe_files(&format!("recipes/{name}"), &meta),
            user: Some("contributor".into()),
            fork: true,
            ..person::OpenPull::default()
        };
        let opened = stage.person.open_pull(STAGED, &pull).await.unwrap();
        let check = stage.concluded(STAGED, &opened.head.sha, "synchronize").await;
        assert_eq!((&check["conclusion"], &check["output"]["title"]), (&json!("failure"), &json!(title)), "{check}");
        let summary = check["output"]["summary"].as_str().unwrap();
        assert!(summary.contains(words), "{summary}");
    }
    stage.settled().await;
    assert_eq!(stage.world.get("/stats/recipe_runs").await, json!({ "count": 0 }));
    assert!(stage.world.jobs().await.iter().all(|job| job.state == JobState::Done));
}

async fn row_28_a_redelivery_is_not_done_twice(database: TestDb) {
    let stage = Stage::start(database).await;
    let opened = stage.open_recipe("sst").await;
    stage.settled().await;
    let deliveries = stage.person.deliveries().await.unwrap();
    let delivery = deliveries.iter().find(|delivery| delivery["event"] == "pull_request").unwrap();
    for _ in 0..2 {
        stage.person.redeliver(delivery["id"].as_i64().unwrap()).await.unwrap();
    }
    stage.settled().await;
    let checks = stage.person.check_runs(STAGED, &opened.head.sha).await.unwrap();
    assert_eq!((checks.len(), named(&checks, "synchronize").len()), (3, 1), "{checks:?}");
    assert_eq!(stage.world.get("/stats/recipe_runs").await, json!({ "count": 2 }));
}

async fn a_deleted_fork_a_draft_and_a_rerun_are_read_as_any_other(database: TestDb) {
    let spec = "o/gpcp-feedstock";
    let world = World::start(database, Settings::default()).await;
    world.init(spec).await;
    world.github.file("o/gpcp-feedstock/feedstock/meta.yaml", META);
    let mut gone = pull(spec, "abc1");
    gone["pull_request"]["head"]["repo"] = Value::Null;
    gone["pull_request"]["draft"] = json!(true);
    world.deliver("pull_request", "g-1", &gone).await;
    world.drained().await;
    let check = world.github.check_runs().remove(0);
    assert_eq!(check["conclusion"], "success", "{check}");
    let origin = origin::get(&world.db, 1).await.unwrap().unwrap();
    assert_eq!(origin.repo_html_url.as_deref(), Some("https://github.com/o/gpcp-feedstock"));
    assert_eq!(world.github.recipe_checks().len(), 2);

    // "Re-run" names no pull request of a fork, and which fork it was has to be asked.
    let base = json!({ "full_name": spec, "html_url": "https://github.com/o/gpcp-feedstock" });
    let head = json!({ "sha": "abc1", "repo": null });
    world.github.pull(json!({
        "number": 3, "html_url": "x", "state": "open", "title": "x", "head": head, "base": { "ref": "main", "repo": base }
    }));
    let repository = json!({ "full_name": spec, "url": format!("https://api.github.com/repos/{spec}") });
    let rerun = json!({
        "action": "rerequested",
        "installation": { "id": 42 },
        "check_run": { "head_sha": "abc1", "external_id": check["external_id"], "pull_requests": [] },
        "repository": repository,
        "sender": { "login": "alice" },
    });
    world.deliver("check_run", "g-2", &rerun).await;
    world.drained().await;
    let all = json!({
        "action": "rerequested",
        "installation": { "id": 42 },
        "check_suite": { "head_sha": "abc1" },
        "repository": repository,
    });
    assert_eq!(world.deliver("check_suite", "g-3", &all).await, (202, json!({ "status": "ok" })));
    let jobs = world.drained().await;
    assert!(jobs.iter().all(|job| job.state == JobState::Done), "{jobs:?}");
    let checks = world.github.check_runs();
    assert_eq!(checks.iter().filter(|check| check["conclusion"] == "success").count(), 3, "{checks:?}");
    assert_eq!(world.github.recipe_checks().len(), 2);
}

/// A draft is looked at, and again when it is ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_are_looked_at_early_and_again_when_they_are_ready() {
    let stage = Stage::start(TestDb::sqlite().await).await;
    let pull = person::OpenPull {
        branch: "sst".into(),
        title: "Add sst".into(),
        files: recipe_files("recipes/sst", META),
        user: Some("contributor".into()),
        fork: true,
        draft: true,
        ..person::OpenPull::default()
    };
    let opened = stage.person.open_pull(STAGED, &pull).await.unwrap();
    let check = stage.concluded(STAGED, &opened.head.sha, "synchronize").await;
    assert_eq!(check["conclusion"], "success", "{check}");
    stage.person.set_draft(STAGED, opened.number, false).await.unwrap();
    stage.settled().await;
    let checks = stage.person.check_runs(STAGED, &opened.head.sha).await.unwrap();
    assert_eq!((checks.len(), named(&checks, "synchronize").len()), (4, 2), "{checks:?}");
    assert!(checks.iter().all(|check| check["status"] == "completed"), "{checks:?}");
    assert_eq!(stage.world.get("/stats/recipe_runs").await, json!({ "count": 2 }));
}

/// Of 60 recipes, 50 get their check runs at once; the pull request is not flooded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_more_check_runs_are_made_than_github_lets() {
    let world = World::start(TestDb::sqlite().await, Settings::default()).await;
    world.init("o/gpcp-feedstock").await;
    let recipes: Vec<String> = (0..60).map(|n| format!("{{id: r{n}, object: 'recipe:r'}}")).collect();
    let meta = format!("recipes: [{}]\nbakery: {{id: local-test-bakery}}", recipes.join(", "));
    world.github.file("fork/gpcp-feedstock/feedstock/meta.yaml", &meta);
    world.deliver("pull_request", "g-1", &pull("o/gpcp-feedstock", "abc1")).await;
    world.drained().await;
    assert_eq!(world.github.recipe_checks().len(), 50);
    assert_eq!(world.get("/stats/recipe_runs").await, json!({ "count": 60 }));
    assert_eq!(world.github.check_runs()[0]["conclusion"], "success");
}

/// `dict_object` is not expanded because somebody opened a pull request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipes_that_are_listed_by_code_wait_for_somebody_who_may_run_it() {
    let world = World::start(TestDb::sqlite().await, Settings::default()).await;
    world.init("o/gpcp-feedstock").await;
    let meta = "recipes: {dict_object: 'recipe:recipes'}\nbakery: {id: local-test-bakery}";
    world.github.file("fork/gpcp-feedstock/feedstock/meta.yaml", meta);
    world.deliver("pull_request", "g-1", &pull("o/gpcp-feedstock", "abc1")).await;
    world.drained().await;
    let check = world.github.check_runs().remove(0);
    assert_eq!(
        (&check["conclusion"], &check["output"]["title"]),
        (&json!("neutral"), &json!("Recipes are listed by their code"))
    );
    let summary = check["output"]["summary"].as_str().unwrap();
    assert!(summary.contains("comments `/run RECIPE_ID`:\n- feedstock/meta.yaml: recipes: dict_object"), "{summary}");
    assert!(world.github.recipe_checks().is_empty());
}
