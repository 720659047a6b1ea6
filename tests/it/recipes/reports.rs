//! The end of a run, as its bakery reports it or as it never does, and what people are told.

use std::sync::Arc;

use chrono::Utc;
use pforge::apps::recipes::jobs::{Overdue, Report};
use pforge::apps::recipes::rows::attempts::{self, NewAttempt, Requested};
use pforge::apps::recipes::rows::origin::{self, Origin};
use pforge::apps::recipes::rows::recipe_runs::{self, NewRecipeRun};
use pforge::apps::recipes::rows::{Provider, bakeries, feedstocks};
use pforge::emulator::person::{OpenPull, OpenedPull};
use pforge::jobs::Job;
use pforge::store::Db;
use pforge::store::jobs::{JobState, enqueue};
use serde_json::{Value, json};

use super::gate::{Bench, Hold};
use super::stage::{STAGED, Stage, local_bakery, recipe_files, seed};
use super::world::{API_KEY, META, SECRET};
use crate::support::env::Env;
use crate::support::pg::{TestDb, on_both};

on_both!(
    a_reported_success_is_told_with_the_code_that_opens_it,
    a_reported_failure_is_told_with_its_trace,
    a_report_names_its_job,
    a_run_that_nobody_started_here_can_end,
    what_became_of_the_pull_request_meanwhile_is_said,
    a_bakery_that_never_reports_is_given_up,
    the_command_of_bakeries_is_understood_by_the_server,
);

/// An attempt at a run that a bakery has.
async fn begun(db: &Db, run: i64, comment: Option<i64>, job_name: Option<&str>) -> i32 {
    let token = format!("test/{run}/{}", fastrand::u64(..));
    let new = NewAttempt { token, requested_by: Some("maintainer".into()), comment_id: comment };
    let Requested::New(attempt) = attempts::request(db, run, &new, Utc::now()).await.unwrap() else { panic!() };
    assert!(attempts::begin(db, run, attempt, job_name, Utc::now()).await.unwrap());
    attempt
}

/// A pull request whose recipes are listed, and the row id of the run of `recipe`.
async fn listed(stage: &Stage, recipe: &str) -> (OpenedPull, i64) {
    let pull = stage.open_recipe("sst").await;
    stage.settled().await;
    (pull, run_of(stage, recipe).await)
}

async fn run_of(stage: &Stage, recipe: &str) -> i64 {
    let runs = stage.world.get("/recipe_runs/").await;
    let run = runs.as_array().unwrap().iter().rev().find(|run| run["recipe_id"] == recipe);
    run.unwrap_or_else(|| panic!("no run of {recipe}: {runs}"))["id"].as_i64().unwrap()
}

/// The bodies of what the App commented.
async fn told(stage: &Stage, number: i64) -> Vec<String> {
    let comments = stage.person.comments(STAGED, number).await.unwrap();
    let ours = comments.iter().filter(|comment| comment["user"]["type"] == "Bot");
    ours.map(|comment| comment["body"].as_str().unwrap().to_owned()).collect()
}

async fn reactions(stage: &Stage, number: i64, comment: i64) -> [Value; 2] {
    let comments = stage.person.comments(STAGED, number).await.unwrap();
    let found = comments.iter().find(|known| known["id"] == comment).unwrap();
    ["confused", "total_count"].map(|name| found["reactions"][name].clone())
}

/// Row 33: form and JSON end the run and are told once, also when the report comes again.
async fn a_reported_success_is_told_with_the_code_that_opens_it(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, _) = listed(&stage, "sst-daily").await;
    for (recipe, form) in [("sst-daily", true), ("sst-climatology", false)] {
        let run = run_of(&stage, recipe).await;
        begun(&stage.world.db, run, None, None).await;
        let report = json!({ "action": "completed", "recipe_run_id": run, "conclusion": "success" });
        for time in ["first", "again"] {
            let guid = format!("{recipe}-{time}");
            let answer = if form {
                let body = format!("action=completed&recipe_run_id={run}&conclusion=success");
                stage.world.deliver_as("application/x-www-form-urlencoded", "dataflow", &guid, body).await
            } else {
                stage.world.deliver("bakery", &guid, &report).await
            };
            assert_eq!(answer, (202, Value::Null));
        }
        stage.settled().await;
        let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
        assert_eq!((&row["status"], &row["conclusion"]), (&json!("completed"), &json!("success")), "{row}");
        assert!(row["completed_at"].is_string());
        let place = format!("{}/target/pforge-test/test/{STAGED}/recipe-run-{run}", stage.folder.path().display());
        let url = format!("https://data.example.org{place}/{recipe}.zarr");
        assert_eq!(row["dataset_public_url"], url);
        let check = stage.concluded(STAGED, &pull.head.sha, recipe).await;
        assert_eq!(
            (&check["conclusion"], &check["output"]["title"]),
            (&json!("success"), &json!("Test run succeeded"))
        );
        let comments = told(&stage, pull.number).await;
        let mine: Vec<_> = comments.iter().filter(|body| body.contains(&format!("`{recipe}`"))).collect();
        assert_eq!(mine.len(), 1, "{comments:?}");
        let head = format!(":tada: The test run of `{recipe}` at {} succeeded!\n", pull.head.sha);
        assert!(mine[0].starts_with(&head), "{}", mine[0]);
        let code =
            format!("```python\nimport xarray as xr\n\nds = xr.open_dataset(\"{url}\", engine=\"zarr\", chunks={{}})");
        assert!(mine[0].contains(&code), "{}", mine[0]);
        assert!(mine[0].contains(&format!("{}/recipe_runs/{run}/logs", stage.world.url)), "{}", mine[0]);
        assert!(mine[0].contains(&format!("/recipe-run/{run}?feedstock_id=1&orchestratorEndpoint=")));
    }
    let odd = json!({ "action": "completed", "recipe_run_id": 1, "conclusion": "cancelled" });
    let detail = "No handling implemented for payload['conclusion'] = 'cancelled'.";
    assert_eq!(stage.world.deliver("dataflow", "odd", &odd).await, (400, json!({ "detail": detail })));
    assert_eq!(stage.person.unknown().await.unwrap(), Vec::<Value>::new());
}

async fn a_reported_failure_is_told_with_its_trace(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, run) = listed(&stage, "sst-daily").await;
    let comment = stage.person.comment(STAGED, pull.number, "please", Some("maintainer")).await.unwrap();
    for number in [1, 2] {
        let attempt = begun(&stage.world.db, run, Some(comment), None).await;
        assert_eq!(attempt, number);
        let report = Report {
            recipe_run_id: run,
            attempt: Some(attempt),
            conclusion: "failure".into(),
            reason: Some(format!("ValueError: number {number}")),
            trace: Some(format!("Traceback\n```\nValueError: number {number}")),
        };
        for token in ["one", "two"] {
            let job = report.queued(Some(format!("recipe-run/{run}")), format!("{token}/{number}")).unwrap();
            enqueue(&stage.world.db, &[job], Utc::now()).await.unwrap();
        }
        stage.settled().await;
        let comments = told(&stage, pull.number).await;
        assert_eq!(comments.len(), usize::try_from(number).unwrap(), "{comments:?}");
        let last = comments.last().unwrap();
        assert!(last.starts_with(&format!(":x: The test run of `sst-daily` at {} failed.", pull.head.sha)), "{last}");
        assert!(last.contains(&format!("```text\nValueError: number {number}\n```")), "{last}");
        assert!(last.contains("<details>\n<summary>Trace</summary>\n\n````text\nTraceback"), "{last}");
        assert!(last.contains("`/run sst-daily`"), "{last}");
        let check = stage.concluded(STAGED, &pull.head.sha, "sst-daily").await;
        assert_eq!(check["conclusion"], "failure");
        assert!(check["output"]["summary"].as_str().unwrap().contains(&format!("number {number}")));
        let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
        let message: Value = serde_json::from_str(row["message"].as_str().unwrap()).unwrap();
        assert!(message["trace"].as_str().unwrap().ends_with(&format!("number {number}")), "{message}");
        assert_eq!((&row["conclusion"], &row["dataset_public_url"]), (&json!("failure"), &Value::Null));
    }
    assert_eq!(reactions(&stage, pull.number, comment).await, [1, 1], "one reaction, however often it failed");
}

async fn a_report_names_its_job(database: TestDb) {
    let stage = Stage::start(database).await;
    let (_, run) = listed(&stage, "sst-daily").await;
    begun(&stage.world.db, run, None, Some("a70667-1")).await;
    let report = |name: &str| json!({ "action": "completed", "job_name": name, "conclusion": "failure" });
    assert_eq!(stage.world.deliver("bakery", "1", &report("unknown")).await.0, 202);
    let jobs = stage.world.drained().await;
    assert_eq!(jobs[0].last_error.as_deref(), Some("no run has the job name unknown"));
    assert_eq!(stage.world.deliver("bakery", "2", &report("a70667-1")).await.0, 202);
    stage.settled().await;
    assert_eq!(stage.world.get(&format!("/recipe_runs/{run}")).await["conclusion"], "failure");
}

/// The bakery was asked by others, or by hand; and there may be no such run.
async fn a_run_that_nobody_started_here_can_end(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, run) = listed(&stage, "sst-daily").await;
    for (guid, id) in [("1", run), ("2", run), ("3", 4711)] {
        let report = json!({ "action": "completed", "recipe_run_id": id, "conclusion": "success" });
        assert_eq!(stage.world.deliver("dataflow", guid, &report).await.0, 202);
        stage.settled().await;
    }
    let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
    assert_eq!((&row["status"], &row["conclusion"]), (&json!("completed"), &json!("success")));
    assert_eq!(told(&stage, pull.number).await.len(), 1);
    let jobs = stage.world.drained().await;
    assert_eq!((jobs[0].state, jobs[0].last_error.as_deref()), (JobState::Dead, Some("there is no recipe run 4711")));
    assert!(jobs[1].outcome.as_deref().unwrap().contains("over already"), "{:?}", jobs[1]);
}

async fn what_became_of_the_pull_request_meanwhile_is_said(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, run) = listed(&stage, "sst-daily").await;
    begun(&stage.world.db, run, None, None).await;
    let files = recipe_files("recipes/sst", &META.replace("two ways", "three ways"));
    stage.person.push("contributor/staged-recipes", "sst", &files, Some("contributor")).await.unwrap();
    stage.person.set_open(STAGED, pull.number, false).await.unwrap();
    let report = json!({ "action": "completed", "recipe_run_id": run, "conclusion": "failure" });
    stage.world.deliver("dataflow", "1", &report).await;
    stage.settled().await;
    let comments = told(&stage, pull.number).await;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].contains(&pull.head.sha), "{}", comments[0]);
    assert!(comments[0].contains("Newer commits were pushed") && comments[0].contains("closed meanwhile"));
}

async fn a_bakery_that_never_reports_is_given_up(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, run) = listed(&stage, "sst-daily").await;
    let attempt = begun(&stage.world.db, run, None, None).await;
    for time in ["once", "twice"] {
        let overdue = Overdue { recipe_run_id: run, attempt };
        enqueue(&stage.world.db, &[overdue.queued(None, time.into()).unwrap()], Utc::now()).await.unwrap();
        stage.settled().await;
    }
    let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
    assert_eq!((&row["status"], &row["conclusion"]), (&json!("completed"), &json!("timed_out")));
    let comments = told(&stage, pull.number).await;
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(comments[0].starts_with(":hourglass:") && comments[0].contains("did not report"), "{}", comments[0]);
    let check = stage.concluded(STAGED, &pull.head.sha, "sst-daily").await;
    assert_eq!(check["conclusion"], "timed_out");
}

/// Row 34.
async fn the_command_of_bakeries_is_understood_by_the_server(database: TestDb) {
    let stage = Stage::start(database).await;
    let (_, run) = listed(&stage, "sst-daily").await;
    let file = stage.folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let hook = format!("{}/github/hooks/", stage.world.url);
    let mut env = Env::new();
    env.set("PANGEO_FORGE_API_KEY", API_KEY);
    let report = |more: &str| {
        let line = format!("bakery report {more} --webhook-secret-file {}", file.display());
        tokio::task::block_in_place(|| env.line(&line))
    };
    let job_name = "a7073-1";
    for (how, conclusion) in [
        (format!("{run} --form --event dataflow"), "failure"),
        (format!("{run}"), "success"),
        (format!("--job-name {job_name} --form"), "failure"),
        (format!("--job-name {job_name}-json --json"), "success"),
    ] {
        let name = how.strip_prefix("--job-name ").and_then(|rest| rest.split(' ').next());
        begun(&stage.world.db, run, None, name).await;
        let said = report(&format!("{how} --conclusion {conclusion} --url {hook}")).success();
        if how.ends_with("--json") {
            assert_eq!(said.json()["status"], 202, "{said}");
        } else {
            assert!(said.stdout.contains(".completed") && said.stdout.contains("202"), "{said}");
        }
        stage.settled().await;
        let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
        assert_eq!((&row["status"], &row["conclusion"]), (&json!("completed"), &json!(conclusion)), "{how}: {row}");
    }
    std::fs::write(&file, "another").unwrap();
    let refused = report(&format!("{run} --conclusion success --url {hook}"));
    assert!(refused.code == Some(1) && refused.stderr.contains("401"), "{refused}");
    assert!(!refused.stderr.contains("pforge trigger"), "{refused}");
    let silent = report(&format!("{run} --conclusion success --url http://127.0.0.1:9/github/hooks/"));
    assert_eq!(silent.code, Some(6), "{silent}");
    for wrong in ["0 --conclusion success", "--conclusion success", "1 --conclusion cancelled", "1"] {
        assert_eq!(report(wrong).code, Some(2), "{wrong}");
    }
}

/// Killed at each of its calls to GitHub, before it takes effect and after, the report is told once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_call_it_is_told_once() {
    let database = TestDb::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let bakery = [("local-test-bakery".to_owned(), local_bakery(&folder))].into();
    let bench = Bench::start(database.db.clone(), seed("http://127.0.0.1:9/github/hooks/"), bakery).await;
    let feedstock = feedstocks::insert(&bench.db, STAGED, Provider::Github).await.unwrap().id;
    let bakery = bakeries::insert(&bench.db, "local", "local-test-bakery", "").await.unwrap().id;
    let pull = OpenPull {
        branch: "sst".into(),
        title: "Add sst".into(),
        files: recipe_files("recipes/sst", META),
        user: Some("contributor".into()),
        fork: true,
        ..OpenPull::default()
    };
    let pull = bench.person.open_pull(STAGED, &pull).await.unwrap();
    let register = |registry: &mut pforge::jobs::Registry, cx: &Arc<_>| registry.register::<Report>(Arc::clone(cx));
    let mut case = 0;
    for after in [false, true] {
        for call in 0.. {
            case += 1;
            // Each case is a recipe of its own on the same pull request.
            let recipe = format!("recipe-{case}");
            let new =
                NewRecipeRun::queued_test(recipe.clone(), feedstock, bakery, &pull.head.sha, pull.number, Utc::now());
            let run = recipe_runs::insert(&bench.db, &new).await.unwrap().id;
            let origin = Origin { pr_number: Some(pull.number), ..Origin::default() };
            origin::set(&bench.db, run, &origin).await.unwrap();
            let comment = bench.person.comment(STAGED, pull.number, "run", Some("maintainer")).await.unwrap();
            let attempt = begun(&bench.db, run, Some(comment), None).await;
            let report = Report {
                recipe_run_id: run,
                attempt: Some(attempt),
                conclusion: "failure".into(),
                reason: Some("it broke".into()),
                trace: None,
            };
            let job = report.queued(Some(format!("recipe-run/{run}")), format!("report/{run}")).unwrap();
            let (job, killed) = bench.killed_at(job, Some(Hold { call, after }), register).await;
            let calls = bench.gate.calls();
            assert_eq!((job.state, job.attempts), (JobState::Done, 1 + u32::from(killed)), "{job:?}\n{calls:?}");
            let comments = bench.person.comments(STAGED, pull.number).await.unwrap();
            let about = format!("`{recipe}`");
            let ours: Vec<_> = comments.iter().filter(|c| c["body"].as_str().unwrap().contains(&about)).collect();
            assert_eq!(ours.len(), 1, "killed at {call} (after: {after}): {calls:?}\n{ours:?}");
            let checks = bench.person.check_runs(STAGED, &pull.head.sha).await.unwrap();
            let checks: Vec<_> = checks.iter().filter(|check| check["name"] == *recipe).collect();
            assert_eq!((checks.len(), &checks[0]["conclusion"]), (1, &json!("failure")), "{calls:?}");
            let reacted = comments.iter().find(|c| c["id"] == comment).unwrap();
            assert_eq!(reacted["reactions"]["confused"], 1, "{calls:?}");
            if !killed {
                assert!(call >= 6, "there are as many calls as it takes: {calls:?}");
                break;
            }
        }
    }
}
