//! The real pangeo-forge-runner, by `tests/run --runner` only: it needs 800 MB of packages.
//!
//! `PFORGE_TEST_RUNNER` is the virtual environment that holds it. Without it these tests fail: who
//! asks for them wants to see the real thing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pforge::emulator::person::{Files, OpenPull, OpenedPull};
use serde_json::Value;

use crate::recipes::stage::{STAGED, Stage};
use crate::support::pg::TestDb;

const META: &str = include_str!("../../examples/tiny/feedstock/meta.yaml");
const RECIPE: &str = include_str!("../../examples/tiny/feedstock/recipe.py");
const REQUIREMENTS: &str = include_str!("../../examples/tiny/feedstock/requirements.txt");
/// A bake takes a quarter of a minute on an idle machine.
const PATIENCE: Duration = Duration::from_secs(400);

fn venv() -> PathBuf {
    let venv = std::env::var_os("PFORGE_TEST_RUNNER").expect("PFORGE_TEST_RUNNER: run tests/run --runner");
    let venv = PathBuf::from(venv);
    assert!(venv.join("bin/pangeo-forge-runner").is_file(), "{} has no pangeo-forge-runner", venv.display());
    venv
}

/// What a recipe of this environment is run with: its own packages are lent to the environment that
/// the runner makes for each bake.
async fn stage(venv: &Path) -> Stage {
    let packages =
        std::fs::read_dir(venv.join("lib")).unwrap().flatten().map(|entry| entry.path().join("site-packages"));
    let packages = packages.into_iter().find(|path| path.is_dir()).expect("site-packages");
    Stage::with(TestDb::sqlite().await, |plan| {
        let runner = &mut plan.settings.runner;
        runner.command = vec![venv.join("bin/pangeo-forge-runner").display().to_string()];
        runner.set_env = [("PYTHONPATH".to_owned(), packages.display().to_string())].into();
        runner.bake_timeout_seconds = 300;
        runner.timeout_seconds = 120;
        runner.take_environment(|name| std::env::var(name).ok());
    })
    .await
}

async fn asked(stage: &Stage, meta: &str, recipe: &str) -> OpenedPull {
    let files = [("meta.yaml", meta), ("recipe.py", recipe), ("requirements.txt", REQUIREMENTS)];
    let files: Files = files.map(|(name, text)| (format!("recipes/tiny/{name}"), Some(text.to_owned()))).into();
    let pull = OpenPull {
        branch: "tiny".to_owned(),
        title: "Add tiny".to_owned(),
        files,
        user: Some("contributor".into()),
        fork: true,
        ..OpenPull::default()
    };
    let pull = stage.person.open_pull(STAGED, &pull).await.unwrap();
    stage.settled().await;
    stage.person.comment(STAGED, pull.number, "/run tiny", Some("maintainer")).await.unwrap();
    pull
}

/// The recipe's check run, once it tells how the bake ended.
async fn told(stage: &Stage, pull: &OpenedPull) -> Value {
    let done = |run: &Value| run["name"] == "tiny" && run["status"] == "completed" && run["conclusion"] != "neutral";
    let begun = Instant::now();
    let check = stage.person.wait_for_check_run(STAGED, &pull.head.sha, PATIENCE, done).await.unwrap();
    eprintln!("the bake was told as {} after {:.1} s", check["conclusion"], begun.elapsed().as_secs_f64());
    check
}

async fn comment(stage: &Stage, pull: &OpenedPull, words: &str) -> String {
    stage.settled().await;
    let comments = stage.person.comments(STAGED, pull.number).await.unwrap();
    let found = comments.iter().filter_map(|comment| comment["body"].as_str()).find(|body| body.contains(words));
    found.unwrap_or_else(|| panic!("nobody says {words}: {comments:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs 800 MB of packages: tests/run --runner"]
async fn the_tiny_feedstock_is_baked_and_opens() {
    let venv = venv();
    let stage = stage(&venv).await;
    let pull = asked(&stage, META, RECIPE).await;
    let check = told(&stage, &pull).await;
    let run = stage.world.get("/recipe_runs/").await[0].clone();
    let log = stage.world.call("GET", &format!("/recipe_runs/{}/logs", run["id"]), None, None).await;
    assert_eq!(check["conclusion"], "success", "{check}\n{run}\n{log:?}");
    comment(&stage, &pull, run["dataset_public_url"].as_str().unwrap()).await;

    let dataset = run["dataset_public_url"].as_str().unwrap().strip_prefix("https://data.example.org").unwrap();
    let code = "import sys, xarray as xr\nd = xr.open_dataset(sys.argv[1], engine='zarr', consolidated=False)\n\
                print(dict(d.sizes), round(float(d.sst[0, 0, 0]), 3), str(d.time.values[1])[:10])";
    let opened = Command::new(venv.join("bin/python")).args(["-c", code, dataset]).output().unwrap();
    let said = String::from_utf8_lossy(&opened.stdout).trim().to_owned();
    assert_eq!(said, "{'lat': 2, 'lon': 3, 'time': 2} 15.0 2020-01-02", "{}", String::from_utf8_lossy(&opened.stderr));
    eprintln!("{dataset} opens: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs 800 MB of packages: tests/run --runner"]
async fn a_broken_recipe_fails_with_its_trace_on_the_pull_request() {
    let stage = stage(&venv()).await;
    let broken =
        RECIPE.replace("    index, day = item\n", "    index, day = item\n    raise ValueError(f\"no {day}\")\n");
    let pull = asked(&stage, META, &broken).await;
    let check = told(&stage, &pull).await;
    assert_eq!(check["conclusion"], "failure", "{check}");
    let said = comment(&stage, &pull, "ValueError: no day-0").await;
    assert!(said.contains("Traceback") && said.contains("in dataset"), "{said}");
    assert!(!said.contains("pforge-runner-"), "it tells where the server keeps its files: {said}");
}

/// Recipes in a dictionary of the code are listed by executing it, once somebody who may has asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs 800 MB of packages: tests/run --runner"]
async fn recipes_of_a_dictionary_are_expanded_and_baked() {
    let stage = stage(&venv()).await;
    let meta = META.replace("  - id: tiny\n    object: \"recipe:tiny\"\n", "  - dict_object: \"recipe:recipes\"\n");
    let recipe = format!("{RECIPE}\nrecipes = {{\"tiny\": tiny}}\n");
    let pull = asked(&stage, &meta, &recipe).await;
    let check = told(&stage, &pull).await;
    assert_eq!(check["conclusion"], "success", "{check}");
}
