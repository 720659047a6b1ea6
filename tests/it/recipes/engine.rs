//! The runner as a child: arguments, secrets, limits, logs, job names.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::Utc;
use pforge::apps::recipes::bakeries::Bakery;
use pforge::apps::recipes::job_name;
use pforge::apps::recipes::jobs::Overdue;
use pforge::apps::recipes::rows::attempts::{self, Attempt};
use pforge::apps::recipes::rows::{Conclusion, logs};
use pforge::apps::recipes::settings::{Checkout, RunnerKind, SandboxKind};
use pforge::emulator::person::{OpenPull, OpenedPull};
use pforge::jobs::Job;
use serde_json::{Value, json};

use super::stage::{PATIENCE, Plan, STAGED, Stage, recipe_files};
use super::world::META;
use crate::support::pg::{TestDb, on_both};

on_both!(
    the_hook_answers_at_once_while_the_runner_works,
    the_runner_is_told_everything_and_nobody_else_is,
    a_dataset_is_baked_and_its_log_is_there_meanwhile,
    a_recipe_that_raises_fails_with_its_trace,
    what_hangs_is_stopped_and_what_is_cancelled_too,
    a_remote_job_has_one_name,
    a_long_log_is_cut,
);

const SECRET: &str = "hunter2+/of the bakery";

/// A shell script in place of the runner; `$here` is its folder.
struct Script(tempfile::TempDir);

impl Script {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("runner"), format!("here={}\n{text}\n", folder.path().display())).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// It is run for what `/run` asks for, and for nothing else.
    fn bakes(&self, plan: &mut Plan) {
        plan.settings.runner.command = vec!["sh".to_owned(), self.path("runner").display().to_string()];
        plan.settings.runner.sandbox = SandboxKind::None;
    }
}

/// A pull request with the example recipes, whose code is `code`, after `/run sst-daily`.
async fn asked(stage: &Stage, code: &str) -> (OpenedPull, i64) {
    let mut files = recipe_files("recipes/sst", META);
    files.insert("recipes/sst/recipe.py".to_owned(), Some(code.to_owned()));
    let pull = OpenPull {
        branch: "sst".to_owned(),
        title: "Add sst".to_owned(),
        files,
        user: Some("contributor".into()),
        fork: true,
        ..OpenPull::default()
    };
    let pull = stage.person.open_pull(STAGED, &pull).await.unwrap();
    stage.settled().await;
    let run = run_of(stage).await;
    stage.person.comment(STAGED, pull.number, "/run sst-daily", Some("maintainer")).await.unwrap();
    (pull, run)
}

async fn run_of(stage: &Stage) -> i64 {
    let runs = stage.world.get("/recipe_runs/").await;
    let run = runs.as_array().unwrap().iter().find(|run| run["recipe_id"] == "sst-daily");
    run.unwrap_or_else(|| panic!("no run: {runs}"))["id"].as_i64().unwrap()
}

/// The attempt once `fits` holds of it.
async fn attempt(stage: &Stage, run: i64, number: i32, fits: impl Fn(&Attempt) -> bool) -> Attempt {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = attempts::get(&stage.world.db, run, number).await.unwrap();
        match found {
            Some(found) if fits(&found) => return found,
            found => assert!(Instant::now() < until, "it does not come to that: {found:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn ended(stage: &Stage, run: i64) -> Attempt {
    attempt(stage, run, 1, |attempt| attempt.ended_at.is_some()).await
}

async fn log(stage: &Stage, run: i64) -> String {
    let pieces = logs::read(&stage.world.db, run, 1, 0, 10_000).await.unwrap();
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

fn with_secret(bakery: &mut Bakery) {
    let secret = json!({ "secret": SECRET, "client_kwargs": { "endpoint_url": "https://osn.example.org" } });
    bakery.target.fsspec_args = serde_json::from_value(secret).unwrap();
}

fn alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Row 25.
async fn the_hook_answers_at_once_while_the_runner_works(database: TestDb) {
    let script = Script::new(&format!("sleep 5; exec {} demo-runner \"$@\"", env!("CARGO_BIN_EXE_pforge")));
    let stage = Stage::with(database, |plan| {
        script.bakes(plan);
        plan.settings.runner.kind = RunnerKind::Command;
    })
    .await;
    let begun = Instant::now();
    let pull = stage.open_recipe("sst").await;
    stage.person.settled(PATIENCE).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "the deliveries were answered while the runner slept");
    let deliveries = stage.person.deliveries().await.unwrap();
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        assert!(delivery["duration"].as_f64().unwrap() < 1.0, "{delivery}");
    }
    let check = stage.concluded(STAGED, &pull.head.sha, "synchronize").await;
    assert_eq!(check["conclusion"], "success", "{check}");
    assert!(begun.elapsed() >= Duration::from_secs(5));
}

/// The arguments of row 29, and row 31.
async fn the_runner_is_told_everything_and_nobody_else_is(database: TestDb) {
    let script = Script::new(&format!(
        "for word; do echo \"$word\" >> $here/argv; case $word in -f=*) config=${{word#-f=}};; esac; done\n\
         cat \"$config\" > $here/config.json; stat -c %a \"$config\" \"$(dirname \"$config\")\" > $here/modes\n\
         env > $here/env; pwd > $here/pwd\n\
         echo '{{\"message\": \"opened with {SECRET}\"}}'; echo 'plain {SECRET}'; echo 'died of {SECRET}' >&2\n\
         printf '%s\\n' '{{\"message\": \"no\", \"exc_info\": \"Traceback\\nKeyError: {SECRET}\", \"status\": \"failed\"}}'; exit 1"
    ));
    let stage = Stage::with(database, |plan| {
        script.bakes(plan);
        plan.settings.runner.checkout = Checkout::Runner;
        with_secret(plan.bakeries.get_mut("local-test-bakery").unwrap());
    })
    .await;
    let (pull, run) = asked(&stage, "").await;
    let attempt = ended(&stage, run).await;
    stage.settled().await;

    let argv = script.read("argv");
    let config = argv.lines().find_map(|word| word.strip_prefix("-f=")).unwrap();
    let expected = [
        "bake",
        &format!("--repo={}/contributor/staged-recipes", stage.github_url),
        &format!("--ref={}", pull.head.sha),
        "--json",
        "--prune",
        "--Bake.recipe_id=sst-daily",
        &format!("-f={config}"),
        "--feedstock-subdir=recipes/sst",
    ];
    assert_eq!(argv.lines().collect::<Vec<_>>(), expected);

    let told: Value = serde_json::from_str(&script.read("config.json")).unwrap();
    let root =
        format!("{}/target/pforge-test/test/{STAGED}/recipe-run-{run}/sst-daily.zarr", stage.folder.path().display());
    assert_eq!(told["TargetStorage"]["root_path"], root);
    assert_eq!(told["TargetStorage"]["fsspec_args"]["secret"], SECRET);
    assert_eq!(told["Bake"]["bakery_class"], "pangeo_forge_runner.bakery.local.LocalDirectBakery");
    assert!(told["InputCacheStorage"].is_object() && told["DataflowBakery"].is_null(), "{told}");
    assert_eq!(script.read("modes"), "600\n700\n");
    assert!(!PathBuf::from(script.read("pwd").trim()).exists() && !PathBuf::from(config).exists(), "it is removed");

    assert_eq!(attempt.conclusion, Some(Conclusion::Failure));
    assert_eq!(attempt.reason.as_deref(), Some("KeyError: ***"));
    assert_eq!(attempt.trace.as_deref(), Some("Traceback\nKeyError: ***"));
    let mut log: Vec<String> = log(&stage, run).await.lines().map(str::to_owned).collect();
    log.sort();
    assert_eq!(log, ["KeyError: ***", "Traceback", "died of ***", "no", "opened with ***", "plain ***"]);
    let comments = stage.person.comments(STAGED, pull.number).await.unwrap();
    let checks = stage.person.check_runs(STAGED, &pull.head.sha).await.unwrap();
    let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
    let jobs = format!("{:?}", stage.world.jobs().await);
    for public in [format!("{comments:?}"), format!("{checks:?}"), row.to_string(), jobs, argv, script.read("env")] {
        assert!(!public.contains("hunter2"), "{public}");
    }
}

async fn a_dataset_is_baked_and_its_log_is_there_meanwhile(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, run) = asked(&stage, "# demo: sleep 3\n").await;
    attempt(&stage, run, 1, |attempt| attempt.started_at.is_some()).await;
    let until = Instant::now() + PATIENCE;
    while !log(&stage, run).await.contains("asleep for another") {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
    assert_eq!(row["status"], "in_progress", "the log can be read while it runs");
    let attempt = ended(&stage, run).await;
    assert_eq!(attempt.conclusion, Some(Conclusion::Success), "{attempt:?}");
    stage.settled().await;
    let place = format!("target/pforge-test/test/{STAGED}/recipe-run-{run}/sst-daily.zarr");
    let metadata = fs::read_to_string(stage.folder.path().join(&place).join(".zmetadata")).unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["metadata"]["sst/.zarray"]["shape"], json!([2]), "pruned");
    let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
    assert_eq!(row["conclusion"], "success");
    assert!(row["dataset_public_url"].as_str().unwrap().ends_with(&place), "{row}");
    let text = log(&stage, run).await;
    assert!(text.contains("Target Storage is") && text.contains("Running job for recipe sst-daily"), "{text}");
    let check = stage.concluded(STAGED, &pull.head.sha, "sst-daily").await;
    assert_eq!(check["conclusion"], "success", "{check}");
}

async fn a_recipe_that_raises_fails_with_its_trace(database: TestDb) {
    let stage = Stage::start(database).await;
    let (pull, run) = asked(&stage, "import os\nraise ValueError(\"no such input\")\n").await;
    let attempt = ended(&stage, run).await;
    assert_eq!(attempt.conclusion, Some(Conclusion::Failure));
    assert_eq!(attempt.reason.as_deref(), Some("ValueError: no such input"));
    let trace = attempt.trace.unwrap();
    assert!(trace.contains("recipes/sst/recipe.py\", line 2, in <module>"), "{trace}");
    stage.settled().await;
    let comments = stage.person.comments(STAGED, pull.number).await.unwrap();
    assert!(comments.iter().any(|comment| comment["body"].as_str().unwrap().contains("no such input")), "{comments:?}");
}

async fn what_hangs_is_stopped_and_what_is_cancelled_too(database: TestDb) {
    let script = Script::new("echo $$ > $here/pid; echo '{\"message\": \"begun\"}'; sleep 600");
    let stage = Stage::with(database, |plan| {
        script.bakes(plan);
        plan.settings.runner.bake_timeout_seconds = 2;
    })
    .await;
    let (pull, run) = asked(&stage, "").await;
    let first = ended(&stage, run).await;
    assert_eq!(first.conclusion, Some(Conclusion::TimedOut));
    assert_eq!(first.reason.as_deref(), Some("the run did not end within 2 s and was stopped"));
    assert!(!alive(&script.read("pid")));
    assert_eq!(log(&stage, run).await, "begun\n");
    stage.settled().await;

    // The limit is longer than it takes to notice.
    fs::remove_file(script.path("pid")).unwrap();
    stage.person.comment(STAGED, pull.number, "/run sst-daily", Some("maintainer")).await.unwrap();
    attempt(&stage, run, 2, |attempt| attempt.started_at.is_some()).await;
    assert_eq!(attempts::cancel(&stage.world.db, run, Utc::now()).await.unwrap(), Some(2));
    let second = attempt(&stage, run, 2, |attempt| attempt.ended_at.is_some()).await;
    assert_eq!(second.conclusion, Some(Conclusion::Cancelled), "{second:?}");
    stage.settled().await;
    assert!(!script.path("pid").exists() || !alive(&script.read("pid")));
}

/// Row 32, and what follows for attempts.
async fn a_remote_job_has_one_name(database: TestDb) {
    let stage = Stage::with(database, |plan| {
        plan.settings.webhook_host = Some("api.pangeo-forge.org".to_owned());
        let bakery = plan.bakeries.get_mut("local-test-bakery").unwrap();
        bakery.bake.bakery_class = "pangeo_forge_runner.bakery.dataflow.DataflowBakery".to_owned();
    })
    .await;
    let (pull, run) = asked(&stage, "").await;
    let first = attempt(&stage, run, 1, |attempt| attempt.job_id.is_some()).await;
    let name = job_name::encode("https://api.pangeo-forge.org/github/hooks/", run).unwrap();
    assert_eq!(first.job_name.as_deref(), Some(name.as_str()));
    assert_eq!(job_name::decode(&name), Some(("api.pangeo-forge.org".to_owned(), run)));
    assert_eq!(first.job_id, Some(format!("demo-{name}")));
    let until = Instant::now() + PATIENCE;
    let overdue = loop {
        let jobs = stage.world.jobs().await;
        if let Some(job) = jobs.into_iter().find(|job| job.kind == Overdue::KIND) {
            break job;
        }
        assert!(Instant::now() < until, "nobody waits for the bakery");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(overdue.run_at > Utc::now() + chrono::TimeDelta::hours(23), "{overdue:?}");
    let row = stage.world.get(&format!("/recipe_runs/{run}")).await;
    assert_eq!(row["status"], "in_progress", "{row}");
    let message: Value = serde_json::from_str(row["message"].as_str().unwrap()).unwrap();
    assert_eq!((&message["job_name"], &message["job_id"]), (&json!(name), &json!(format!("demo-{name}"))));

    let report = json!({ "action": "completed", "recipe_run_id": run, "conclusion": "failure" });
    assert_eq!(stage.world.deliver("bakery", "report", &report).await.0, 202);
    ended(&stage, run).await;
    stage.person.comment(STAGED, pull.number, "/run sst-daily", Some("maintainer")).await.unwrap();
    let second = attempt(&stage, run, 2, |attempt| attempt.job_id.is_some()).await;
    let second_name = second.job_name.unwrap();
    assert!(second_name.starts_with("pf-"), "the name is taken: {second_name}");
    let found = attempts::by_job_name(&stage.world.db, &second_name).await.unwrap().unwrap();
    assert_eq!((found.recipe_run_id, found.number), (run, 2));
}

async fn a_long_log_is_cut(database: TestDb) {
    let script = Script::new("i=0; while [ $i -lt 2000 ]; do echo \"line $i\"; i=$((i + 1)); done; exit 0");
    let stage = Stage::with(database, |plan| {
        script.bakes(plan);
        plan.settings.runner.log_bytes = 4096;
    })
    .await;
    let (_, run) = asked(&stage, "").await;
    assert_eq!(ended(&stage, run).await.conclusion, Some(Conclusion::Success));
    let text = log(&stage, run).await;
    assert!(text.starts_with("line 0\nline 1\n") && text.len() < 4096 + 100, "{}", text.len());
    assert!(text.ends_with("[the log is longer; the rest is not kept]\n"), "{text}");
}
