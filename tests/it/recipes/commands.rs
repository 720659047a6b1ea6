//! `/run` comments: who may, what is answered, what happens.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pforge::apps::recipes::rows::attempts::{self, NewAttempt, Requested};
use pforge::apps::recipes::rows::origin;
use pforge::emulator::person;
use pforge::store::jobs::{JobRow, JobState};
use serde_json::{Value, json};

use super::stage::{STAGED, Stage, recipe_files};
use super::world::META;
use crate::support::pg::{TestDb, on_both};

on_both!(
    row_29_run_starts_a_run_and_everybody_is_answered,
    row_30_only_those_who_may_start_a_run,
    a_run_that_is_not_over_is_not_started_again,
    recipes_listed_by_code_are_expanded_for_who_may,
    buttons_run_and_synchronize_for_those_who_may,
    a_pull_request_without_its_fork_is_run,
);

/// The reactions to a comment: 👀 🚀 😕 👎.
async fn reactions(stage: &Stage, number: i64, comment: i64) -> [i64; 4] {
    let comments = stage.person.comments(STAGED, number).await.unwrap();
    let comment = comments.iter().find(|c| c["id"] == comment).unwrap();
    ["eyes", "rocket", "confused", "-1"].map(|content| comment["reactions"][content].as_i64().unwrap())
}

/// What the App said, oldest first, about anything but the end of a run.
async fn answers(stage: &Stage, number: i64) -> Vec<String> {
    let comments = stage.person.comments(STAGED, number).await.unwrap();
    let said = comments.iter().filter(|comment| comment["user"]["type"] == "Bot");
    let said = said.map(|comment| comment["body"].as_str().unwrap().to_owned());
    said.filter(|text| !text.contains("<!-- pforge: recipe-run/")).collect()
}

async fn say(stage: &Stage, number: i64, body: &str, user: Option<&str>) -> i64 {
    let comment = stage.person.comment(STAGED, number, body, user).await.unwrap();
    stage.settled().await;
    comment
}

fn of_kind<'a>(jobs: &'a [JobRow], kind: &str) -> Vec<&'a JobRow> {
    jobs.iter().filter(|job| job.kind == kind).collect()
}

async fn row_29_run_starts_a_run_and_everybody_is_answered(database: TestDb) {
    let stage = Stage::start(database).await;
    let opened = stage.open_recipe("sst").await;
    let number = opened.number;
    stage.concluded(STAGED, &opened.head.sha, "synchronize").await;

    let comment = say(&stage, number, "/run sst-daily", None).await;
    assert_eq!(reactions(&stage, number, comment).await[..2], [1, 1]);
    let jobs = stage.world.jobs().await;
    let bakes = of_kind(&jobs, "recipes.bake");
    assert_eq!((bakes.len(), bakes[0].key.as_deref()), (1, Some("recipe-run/1")));
    assert_eq!(
        (bakes[0].token.as_str(), &bakes[0].payload),
        ("recipe-run/1/attempt/1", &json!({ "recipe_run_id": 1, "attempt": 1 }))
    );
    let attempt = attempts::get(&stage.world.db, 1, 1).await.unwrap().unwrap();
    assert_eq!((attempt.requested_by.as_deref(), attempt.comment_id), (Some("maintainer"), Some(comment)));
    let run = stage.world.get("/recipe_runs/1").await;
    assert_eq!((&run["status"], &run["conclusion"]), (&json!("completed"), &json!("success")), "{run}");
    let check = stage.concluded(STAGED, &opened.head.sha, "sst-daily").await;
    assert_eq!(check["conclusion"], "success", "{check}");
    // The same comment, delivered again, asks for nothing new.
    let deliveries = stage.person.deliveries().await.unwrap();
    let asked = deliveries.iter().rfind(|d| d["event"] == "issue_comment" && d["action"] == "created").unwrap();
    stage.person.redeliver(asked["id"].as_i64().unwrap()).await.unwrap();
    stage.settled().await;
    assert_eq!(attempts::list(&stage.world.db, 1).await.unwrap().len(), 1);

    let sha = &opened.head.sha;
    let comment = say(&stage, number, "/run nonsense", None).await;
    assert_eq!(reactions(&stage, number, comment).await, [1, 0, 1, 0]);
    let expected = format!(
        "There is no recipe `nonsense` at {sha}. Its recipes are:\n\n- `sst-daily`\n- `sst-climatology`\n\n\
         <!-- pforge: comment/{comment} -->"
    );
    assert_eq!(answers(&stage, number).await, [expected]);

    let comment = say(&stage, number, "/run", None).await;
    assert_eq!(reactions(&stage, number, comment).await, [0, 0, 1, 0]);
    let said = answers(&stage, number).await;
    assert!(said[1].starts_with("The command is `/run RECIPE_ID`"), "{said:?}");

    // The newest commit is what is run, also when it was pushed after the comment was thought of,
    // and also when nothing is known of it yet.
    let files = [("recipes/sst/recipe.py".to_owned(), Some("daily = climatology = 1\n".to_owned()))].into();
    let pushed = stage.person.push("contributor/staged-recipes", "sst", &files, Some("contributor")).await.unwrap();
    let comment = say(&stage, number, "/run sst-climatology", None).await;
    assert_eq!(reactions(&stage, number, comment).await[..2], [1, 1]);
    let runs = stage.world.get("/recipe_runs/").await;
    let run =
        runs.as_array().unwrap().iter().find(|r| r["head_sha"] == json!(pushed) && r["recipe_id"] == "sst-climatology");
    let run = run.unwrap()["id"].as_i64().unwrap();
    assert_eq!(attempts::list(&stage.world.db, run).await.unwrap().len(), 1);
    assert_eq!(stage.person.unknown().await.unwrap(), Vec::<Value>::new());
}

async fn row_30_only_those_who_may_start_a_run(database: TestDb) {
    let stage = Stage::start(database).await;
    let opened = stage.open_recipe("sst").await;
    let number = opened.number;
    stage.concluded(STAGED, &opened.head.sha, "synchronize").await;
    for body in ["/run sst-daily", "/run sst-daily", "/run"] {
        let comment = say(&stage, number, body, Some("contributor")).await;
        assert_eq!(reactions(&stage, number, comment).await, [0, 0, 0, 1], "{body}");
    }
    let said = answers(&stage, number).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("@contributor, a test run executes the recipe's code"), "{said:?}");
    say(&stage, number, "nice", Some("contributor")).await;
    say(&stage, number, "/other-bot go", Some("contributor")).await;
    assert_eq!(answers(&stage, number).await.len(), 1);
    let jobs = stage.world.jobs().await;
    assert!(jobs.iter().all(|job| job.state == JobState::Done), "{jobs:?}");
    assert!(of_kind(&jobs, "recipes.bake").is_empty() && of_kind(&jobs, "recipes.run_test").is_empty());
    assert!(attempts::list(&stage.world.db, 1).await.unwrap().is_empty());
}

async fn a_run_that_is_not_over_is_not_started_again(database: TestDb) {
    let stage = Stage::start(database).await;
    let opened = stage.open_recipe("sst").await;
    stage.concluded(STAGED, &opened.head.sha, "synchronize").await;
    let new = NewAttempt { token: "elsewhere".into(), requested_by: None, comment_id: None };
    let requested = attempts::request(&stage.world.db, 1, &new, chrono::Utc::now()).await.unwrap();
    assert_eq!(requested, Requested::New(1));
    let comment = say(&stage, opened.number, "/run sst-daily", None).await;
    assert_eq!(reactions(&stage, opened.number, comment).await, [1, 0, 0, 0]);
    let said = answers(&stage, opened.number).await;
    assert_eq!(said.len(), 1, "{said:?}");
    let link = "[attempt 1](https://pangeo-forge.org/dashboard/recipe-run/1?feedstock_id=1&orchestratorEndpoint=";
    assert!(said[0].contains("is being run already") && said[0].contains(link), "{said:?}");
    assert!(of_kind(&stage.world.jobs().await, "recipes.bake").is_empty());
}

/// The id of the newest check run called `name`.
async fn check(stage: &Stage, sha: &str, name: &str) -> i64 {
    stage.concluded(STAGED, sha, name).await["id"].as_i64().unwrap()
}

async fn buttons_run_and_synchronize_for_those_who_may(database: TestDb) {
    let stage = Stage::start(database).await;
    let opened = stage.open_recipe("sst").await;
    let sha = &opened.head.sha;
    stage.concluded(STAGED, sha, "synchronize").await;
    stage.settled().await;
    let (daily, climatology) = (check(&stage, sha, "sst-daily").await, check(&stage, sha, "sst-climatology").await);

    // Who may push may run; that is asked, whatever GitHub shows whom.
    stage.person.press_button(STAGED, daily, "run_test", Some("contributor")).await.unwrap();
    stage.settled().await;
    assert!(attempts::list(&stage.world.db, 1).await.unwrap().is_empty());
    let jobs = stage.world.jobs().await;
    let outcome = of_kind(&jobs, "recipes.request_run")[0].outcome.clone();
    assert_eq!(outcome.as_deref(), Some("contributor may not run recipes"));

    stage.person.press_button(STAGED, daily, "run_test", None).await.unwrap();
    stage.person.rerequest_run(STAGED, climatology, None).await.unwrap();
    stage.settled().await;
    for run in [1, 2] {
        let attempts = attempts::list(&stage.world.db, run).await.unwrap();
        assert_eq!((attempts.len(), attempts[0].requested_by.as_deref()), (1, Some("maintainer")));
    }
    // A run that is over can be run again, by the same button.
    stage.person.press_button(STAGED, daily, "run_test", None).await.unwrap();
    stage.settled().await;
    assert_eq!(attempts::list(&stage.world.db, 1).await.unwrap().len(), 2);

    let synchronize = check(&stage, sha, "synchronize").await;
    stage.person.rerequest_run(STAGED, synchronize, None).await.unwrap();
    stage.settled().await;
    let suite = stage.person.check_runs(STAGED, sha).await.unwrap()[0]["check_suite"]["id"].as_i64().unwrap();
    stage.person.rerequest_suite(STAGED, suite, None).await.unwrap();
    stage.settled().await;
    let checks = stage.person.check_runs(STAGED, sha).await.unwrap();
    let count = |name: &str| checks.iter().filter(|check| check["name"] == name).count();
    assert_eq!((count("synchronize"), count("sst-daily"), count("sst-climatology")), (3, 1, 1), "{checks:?}");
    assert!(checks.iter().all(|check| check["status"] == "completed"), "{checks:?}");
    // What was run is not forgotten by listing the recipes again.
    let daily = stage.concluded(STAGED, sha, "sst-daily").await;
    assert_eq!(daily["conclusion"], "success", "{daily}");
    assert_eq!(stage.person.unknown().await.unwrap(), Vec::<Value>::new());
}

async fn a_pull_request_without_its_fork_is_run(database: TestDb) {
    let stage = Stage::start(database).await;
    let opened = stage.open_recipe("sst").await;
    stage.concluded(STAGED, &opened.head.sha, "synchronize").await;
    stage.settled().await;
    stage.person.delete_repo("contributor/staged-recipes").await.unwrap();
    let comment = say(&stage, opened.number, "/run sst-daily", None).await;
    assert_eq!(reactions(&stage, opened.number, comment).await[..2], [1, 1]);
    let run = stage.world.get("/recipe_runs/1").await;
    assert_eq!(run["conclusion"], "success", "{run}");
}

async fn recipes_listed_by_code_are_expanded_for_who_may(database: TestDb) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("runner.sh");
    let meta = json!({ "recipes": [{ "id": "by-code" }], "bakery": { "id": "local-test-bakery" } });
    let line = json!({ "status": "completed", "message": "", "meta": meta });
    let seen = folder.path().join("seen");
    fs::write(&script, format!("#!/bin/sh\necho \"$1\" >> {}\necho '{line}'\n", seen.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let stage = Stage::with(database, |plan| {
        plan.settings.runner.command = vec![script.display().to_string()];
    })
    .await;
    let listed = META.split("recipes:").next().unwrap();
    let meta = format!("{listed}recipes:\n  dict_object: recipe:recipes\nbakery:\n  id: local-test-bakery\n");
    let pull = person::OpenPull {
        branch: "dict".into(),
        title: "Add dict".into(),
        files: recipe_files("recipes/dict", &meta),
        user: Some("contributor".into()),
        fork: true,
        ..person::OpenPull::default()
    };
    let opened = stage.person.open_pull(STAGED, &pull).await.unwrap();
    let check = stage.concluded(STAGED, &opened.head.sha, "synchronize").await;
    assert_eq!(check["conclusion"], "neutral", "{check}");
    stage.settled().await;
    say(&stage, opened.number, "/run by-code", Some("contributor")).await;
    assert!(!seen.exists(), "opening a pull request, or asking without leave, executes nothing");

    let comment = say(&stage, opened.number, "/run by-code", None).await;
    assert_eq!(reactions(&stage, opened.number, comment).await[..2], [1, 1]);
    assert!(fs::read_to_string(&seen).unwrap().starts_with("expand-meta\n"));
    let run = stage.world.get("/recipe_runs/1").await;
    assert_eq!((&run["recipe_id"], &run["head_sha"]), (&json!("by-code"), &json!(opened.head.sha)));
    let origin = origin::get(&stage.world.db, 1).await.unwrap().unwrap();
    assert_eq!(origin.feedstock_subdir.as_deref(), Some("recipes/dict"));
    assert!(origin.check_run_id.is_some());
    assert_eq!(attempts::list(&stage.world.db, 1).await.unwrap().len(), 1);
}
