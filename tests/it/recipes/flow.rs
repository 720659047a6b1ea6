//! From a delivery to queued runs and a concluded check run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pforge::apps::recipes::Settings;
use pforge::apps::recipes::settings::{Checkout, RunnerKind, RunnerSettings};
use pforge::store::jobs::JobState;
use serde_json::{Value, json};

use super::world::{META, World, pull};
use crate::support::pg::{TestDb, on_both};

const SPEC: &str = "o/gpcp-feedstock";
const STAGED: &str = "o/staged-recipes";

on_both!(
    a_pull_request_gets_its_runs_and_a_green_check,
    a_redelivery_changes_nothing_and_a_new_commit_gets_its_own,
    a_bakery_that_no_database_can_name_is_said
);

async fn world() -> World {
    World::start(TestDb::sqlite().await, Settings::default()).await
}

/// The one check run, which must be completed.
#[track_caller]
fn concluded(world: &World) -> (String, String, String) {
    let runs = world.github.check_runs();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let run = &runs[0];
    assert_eq!((run["name"].as_str(), run["status"].as_str()), (Some("synchronize"), Some("completed")), "{run}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&run["conclusion"]), text(&run["output"]["title"]), text(&run["output"]["summary"]))
}

/// A shell script in place of pangeo-forge-runner.
fn fake_runner(folder: &Path, script: &str) -> Settings {
    let path = folder.join("runner.sh");
    fs::write(&path, script).unwrap();
    let command = vec!["sh".to_owned(), path.display().to_string()];
    let runner = RunnerSettings {
        kind: RunnerKind::Command,
        checkout: Checkout::Runner,
        command,
        timeout_seconds: 20,
        ..RunnerSettings::default()
    };
    Settings { runner, ..Settings::default() }
}

fn replay(name: &str, exit: i32) -> String {
    format!("cat {}/tests/fixtures/runner/{name}; exit {exit}", env!("CARGO_MANIFEST_DIR"))
}

async fn a_pull_request_gets_its_runs_and_a_green_check(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    world.init(SPEC).await;
    world.github.file("fork/gpcp-feedstock/feedstock/meta.yaml", META);
    let (status, answer) = world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await;
    assert_eq!((status, answer["status"].as_str()), (202, Some("ok")));
    let task = json!({ "task": "synchronize", "args": ["https://github.com/fork/gpcp-feedstock", "abc1", 3,
        "https://api.github.com/repos/o/gpcp-feedstock", "o/gpcp-feedstock"] });
    assert_eq!(answer["background_tasks"], json!([task]));
    let jobs = world.drained().await;
    let outcome = jobs[0].outcome.as_deref().unwrap();
    assert_eq!(outcome, "check run 100 concluded success: Recipe runs queued for latest commit");
    let base = "https://pangeo-forge.org/dashboard/recipe-run";
    let expected = format!(
        "Recipe runs created at commit `abc1`:\
         \n- {base}/1?feedstock_id=1&orchestratorEndpoint=smee.io\
         \n- {base}/2?feedstock_id=1&orchestratorEndpoint=smee.io"
    );
    assert_eq!(concluded(&world), ("success".into(), "Recipe runs queued for latest commit".into(), expected));
    let run = world.get("/recipe_runs/1").await;
    assert_eq!(
        (&run["recipe_id"], &run["head_sha"], &run["version"]),
        (&json!("sst-daily"), &json!("abc1"), &json!(""))
    );
    assert_eq!(
        (&run["status"], &run["is_test"], &run["dataset_type"]),
        (&json!("queued"), &json!(true), &json!("zarr"))
    );
    assert_eq!((&run["bakery"]["name"], &run["feedstock"]["spec"]), (&json!("local-test-bakery"), &json!(SPEC)));
    // The author sees the check run before anything else is asked.
    let calls = world.github.calls();
    assert_eq!(calls[0], "POST /repos/o/gpcp-feedstock/check-runs");
    assert!(calls[1].starts_with("GET /repos/fork/gpcp-feedstock/contents/feedstock/meta.yaml"), "{calls:?}");
    let opened = &world.github.check_runs()[0];
    assert_eq!((&opened["details_url"], &opened["head_sha"]), (&json!("https://pangeo-forge.org/"), &json!("abc1")));
}

#[tokio::test]
async fn the_original_host_needs_no_hint_and_staged_recipes_may_hold_several() {
    let world = world().await;
    world.init(STAGED).await;
    world.github.hook_url("https://api.pangeo-forge.org/github/hooks/");
    world.github.pull_files(&["README.md", "recipes/b/meta.yaml", "recipes/b/recipe.py", "recipes/a/meta.yaml"]);
    for name in ["a", "b"] {
        let meta = format!("recipes: [{{id: {name}, object: 'recipe:x'}}]\nbakery: {{id: local-test-bakery}}");
        world.github.file(&format!("fork/staged-recipes/recipes/{name}/meta.yaml"), &meta);
    }
    world.deliver("pull_request", "g-1", &pull(STAGED, "abc1")).await;
    world.drained().await;
    let base = "https://pangeo-forge.org/dashboard/recipe-run";
    let expected =
        format!("Recipe runs created at commit `abc1`:\n- {base}/1?feedstock_id=1\n- {base}/2?feedstock_id=1");
    assert_eq!(concluded(&world).2, expected);
    let runs = world.get("/recipe_runs/").await;
    assert_eq!((&runs[0]["recipe_id"], &runs[1]["recipe_id"]), (&json!("a"), &json!("b")));
}

#[tokio::test]
async fn what_the_author_did_wrong_is_said_in_the_check_run() {
    let broken = "Synchronize error - click details for summary";
    let missing = "Feedstock and/or bakery not present in database.";
    let no_bakery = "recipes: [{id: a, object: 'r:r'}]";
    let other_bakery = "recipes: [{id: a, object: 'r:r'}]\nbakery: {id: nowhere}";
    for (spec, meta, title, words) in [
        (SPEC, None, broken, "feedstock/meta.yaml: there is no such file at abc1"),
        (SPEC, Some("recipes: ["), broken, "feedstock/meta.yaml: "),
        (SPEC, Some("recipes: []\nbakery: {id: local-test-bakery}"), broken, "meta.yaml lists no recipes."),
        (SPEC, Some(no_bakery), missing, "meta.yaml names none"),
        (
            SPEC,
            Some(other_bakery),
            missing,
            "- Feedstock `o/gpcp-feedstock`: present.\n- Bakery `nowhere`: not present.",
        ),
        ("o/other-feedstock", Some(META), missing, "- Feedstock `o/gpcp-feedstock`: not present."),
    ] {
        let world = world().await;
        world.init(spec).await;
        if let Some(meta) = meta {
            world.github.file("fork/gpcp-feedstock/feedstock/meta.yaml", meta);
        }
        world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await;
        let jobs = world.drained().await;
        assert_eq!(jobs[0].state, JobState::Done, "{jobs:?}");
        let (conclusion, shown, summary) = concluded(&world);
        assert_eq!((conclusion.as_str(), shown.as_str()), ("failure", title), "{summary}");
        assert!(summary.contains(words), "{summary}");
        assert_eq!(world.get("/stats/recipe_runs").await, json!({ "count": 0 }));
    }
    let world = world().await;
    world.init(STAGED).await;
    world.github.pull_files(&["README.md", "recipes/top.txt"]);
    world.deliver("pull_request", "g-1", &pull(STAGED, "abc1")).await;
    world.drained().await;
    let summary = concluded(&world).2;
    assert_eq!(summary, "The pull request adds or changes no file in a folder recipes/<name>/.");
}

async fn a_bakery_that_no_database_can_name_is_said(database: TestDb) {
    let folder = tempfile::tempdir().unwrap();
    let meta = json!({ "recipes": [{ "id": "a" }], "bakery": { "id": "a\0b" } });
    let line = json!({ "status": "completed", "message": "", "meta": meta });
    let settings = fake_runner(folder.path(), &format!("cat <<'END'\n{line}\nEND\n"));
    let world = World::start(database, settings).await;
    world.init(SPEC).await;
    world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await;
    let jobs = world.drained().await;
    assert_eq!((jobs[0].state, jobs[0].attempts), (JobState::Done, 1), "{jobs:?}");
    let (conclusion, _, summary) = concluded(&world);
    assert_eq!(conclusion, "failure");
    assert!(summary.contains("control characters"), "{summary}");
}

async fn a_redelivery_changes_nothing_and_a_new_commit_gets_its_own(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    world.init(SPEC).await;
    world.github.file("fork/gpcp-feedstock/feedstock/meta.yaml", META);
    for _ in 0..3 {
        assert_eq!(world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await.0, 202);
        world.drained().await;
    }
    assert_eq!(concluded(&world).0, "success");
    assert_eq!(world.get("/stats/recipe_runs").await, json!({ "count": 2 }));
    // The same commit by another event: another check run, the same rows.
    world.deliver("pull_request", "g-2", &pull(SPEC, "abc1")).await;
    world.drained().await;
    assert_eq!(world.get("/stats/recipe_runs").await, json!({ "count": 2 }));
    world.deliver("pull_request", "g-3", &pull(SPEC, "abc2")).await;
    world.drained().await;
    assert_eq!(world.get("/stats/recipe_runs").await, json!({ "count": 4 }));
    assert!(world.github.check_runs().iter().all(|run| run["conclusion"] == "success"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_run_is_opened_at_once() {
    let world = world().await;
    world.init(SPEC).await;
    let mut waits = Vec::new();
    for number in 0..15 {
        let begun = Instant::now();
        world.deliver("pull_request", &format!("g-{number}"), &pull(SPEC, &format!("abc{number}"))).await;
        world.drained().await;
        waits.push(world.github.last_opened() - begun);
    }
    waits.sort();
    // Under 20 ms even unoptimised; the bound leaves room for a busy one.
    assert!(waits[7] < Duration::from_millis(500), "{waits:?}");
}

#[tokio::test]
async fn a_slow_runner_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "echo started > {0}/started; while ! test -e {0}/go; do sleep 0.05; done; {1}",
        folder.path().display(),
        replay("expand-dict.jsonl.txt", 0)
    );
    let world = World::start(TestDb::sqlite().await, fake_runner(folder.path(), &script)).await;
    world.init(SPEC).await;
    let begun = Instant::now();
    assert_eq!(world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await.0, 202);
    assert!(begun.elapsed() < Duration::from_secs(1), "the answer took {:?}", begun.elapsed());
    while !folder.path().join("started").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the runner does not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.github.check_runs()[0]["status"], "in_progress");
    assert_eq!(world.deliver("check_suite", "g-2", &json!({})).await, (202, json!({ "status": "ok" })));
    // The recording names no bakery, as the real runner: it is looked up in meta.yaml.
    world.github.file("fork/gpcp-feedstock/feedstock/meta.yaml", META);
    fs::write(folder.path().join("go"), "").unwrap();
    world.drained().await;
    assert_eq!(concluded(&world).0, "success");
    assert_eq!(world.get("/recipe_runs/2").await["recipe_id"], "beta");
}

#[tokio::test]
async fn a_failing_runner_is_reported_by_its_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("echo 'Looking in links: /x'; {}", replay("expand-bad.jsonl.txt", 1));
    let world = World::start(TestDb::sqlite().await, fake_runner(folder.path(), &script)).await;
    world.init(SPEC).await;
    world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await;
    world.drained().await;
    let trait_error = "traitlets.traitlets.TraitError: The 'recipes' trait of a MetaYaml instance expected a list, \
                       not the NoneType None.";
    let title = "Synchronize error - click details for summary";
    assert_eq!(concluded(&world), ("failure".into(), title.into(), trait_error.into()));
}

#[tokio::test]
async fn the_runner_sees_the_documented_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!(
        "printf '%s\\n' \"$@\" >> {}; echo '{}'",
        seen.display(),
        r#"{"status":"completed","meta":{"recipes":[{"id":"x"}],"bakery":{"id":"local-test-bakery"}}}"#
    );
    let world = World::start(TestDb::sqlite().await, fake_runner(folder.path(), &script)).await;
    world.init(STAGED).await;
    world.github.pull_files(&["recipes/x/meta.yaml"]);
    world.deliver("pull_request", "g-1", &pull(STAGED, "abc1")).await;
    world.drained().await;
    assert_eq!(concluded(&world).0, "success");
    assert_eq!(
        fs::read_to_string(seen).unwrap(),
        "expand-meta\n--repo=https://github.com/fork/staged-recipes\n--ref=abc1\n--json\n--feedstock-subdir=recipes/x\n"
    );
}

#[tokio::test]
async fn a_runner_that_is_not_there_is_a_dead_job_and_a_red_check() {
    let runner = RunnerSettings {
        kind: RunnerKind::Command,
        command: vec!["/nonexistent".into()],
        checkout: Checkout::Runner,
        ..RunnerSettings::default()
    };
    let world = World::start(TestDb::sqlite().await, Settings { runner, ..Settings::default() }).await;
    world.init(SPEC).await;
    world.deliver("pull_request", "g-1", &pull(SPEC, "abc1")).await;
    let jobs = world.drained().await;
    assert_eq!((jobs[0].state, jobs[0].attempts), (JobState::Dead, 1));
    let (conclusion, _, summary) = concluded(&world);
    assert_eq!(conclusion, "failure");
    assert!(summary.contains("/nonexistent is not there"), "{summary}");
}

#[tokio::test]
async fn a_merge_that_changes_more_than_recipes_is_left_alone() {
    let world = world().await;
    let mut merged = pull(STAGED, "abc1");
    merged["action"] = json!("closed");
    merged["pull_request"]["merged"] = json!(true);
    merged["pull_request"]["merge_commit_sha"] = json!("ffff");
    world.github.pull_files(&["README.md", "recipes/x/meta.yaml"]);
    assert_eq!(world.deliver("pull_request", "g-1", &merged).await, (202, Value::Null));
    let jobs = world.drained().await;
    assert_eq!(jobs[0].outcome.as_deref(), Some("Not a recipes PR. Skipping."));
}
