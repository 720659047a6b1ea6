//! `pforge feedstocks`, `bakeries` and `runs` against a server.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::Child;

use chrono::Utc;
use pforge::apps::recipes::Settings;
use pforge::apps::recipes::rows::attempts::{self, End, NewAttempt, Requested};
use pforge::apps::recipes::rows::recipe_runs::{self, NewRecipeRun};
use pforge::apps::recipes::rows::{Conclusion, RunStatus, logs};
use pforge::store::Db;
use serde_json::{Value, json};

use crate::recipes::stage::{STAGED, Stage};
use crate::recipes::world::{API_KEY, World};
use crate::support::env::{Env, Output, Running};
use crate::support::pg::{TestDb, on_both};

on_both!(
    feedstocks_and_bakeries_come_and_go,
    runs_are_listed_by_every_filter,
    a_run_is_shown_with_its_attempts_and_what_to_do_next,
    watching_ends_when_all_runs_have_ended,
    a_log_is_followed_through_a_restart_of_the_server,
    a_run_is_asked_for_watched_and_read,
);

const SHA: &str = "5b1d2c0a9e8f7d6c5b4a39281706f5e4d3c2b1a0";

/// The command line of somebody with the key of `url`.
fn client(url: &str) -> Env {
    let mut env = Env::new();
    env.set("PFORGE_SERVER", url).set("PANGEO_FORGE_API_KEY", API_KEY);
    env
}

fn run(env: &Env, line: &str) -> Output {
    tokio::task::block_in_place(|| env.line(line))
}

/// A server with a feedstock, a bakery, and a run of each of `recipes`, the last one in production.
async fn world(database: TestDb, recipes: &[&str]) -> (World, Env) {
    let world = World::start(database, Settings::default()).await;
    world.init(STAGED).await;
    for (number, recipe) in recipes.iter().enumerate() {
        let row = json!({
            "recipe_id": recipe, "bakery_id": 1, "feedstock_id": 1, "head_sha": SHA, "version": "",
            "started_at": Utc::now(), "is_test": number + 1 < recipes.len(),
        });
        assert_eq!(world.admin("POST", "/recipe_runs/", row).await.0, 200);
    }
    let env = client(&world.url);
    (world, env)
}

async fn ask(db: &Db, run: i64) -> i32 {
    let new =
        NewAttempt { token: uuid::Uuid::new_v4().to_string(), requested_by: Some("alice".into()), comment_id: None };
    match attempts::request(db, run, &new, Utc::now()).await.unwrap() {
        Requested::New(number) => number,
        other => panic!("{other:?}"),
    }
}

async fn end(db: &Db, run: i64, number: i32, conclusion: Conclusion, reason: Option<&str>) {
    let end = End {
        conclusion,
        reason: reason.map(str::to_owned),
        trace: reason.map(|reason| format!("Traceback\n  File recipe.py\n{reason}")),
        dataset_public_url: (conclusion == Conclusion::Success).then(|| "https://data.example.org/x.zarr".to_owned()),
    };
    assert!(attempts::end(db, run, number, &end, Utc::now()).await.unwrap());
}

async fn feedstocks_and_bakeries_come_and_go(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let env = client(&world.url);
    let empty = run(&env, "feedstocks list").success();
    assert!(empty.stdout.is_empty() && empty.stderr.contains("pforge feedstocks add"), "{empty}");
    for number in 1..=120 {
        let row = json!({ "spec": format!("alice/feedstock-{number}") });
        assert_eq!(world.admin("POST", "/feedstocks/", row).await.0, 200);
    }
    let added = run(&env, "feedstocks add pangeo-forge/staged-recipes --json").success().json();
    assert_eq!((added["spec"].as_str(), added["id"].as_i64()), (Some(STAGED), Some(121)));
    let twice = run(&env, "feedstocks add pangeo-forge/staged-recipes");
    assert!(twice.code == Some(1) && twice.stderr.contains("try: pforge feedstocks show"), "{twice}");
    assert_eq!(run(&env, "feedstocks add staged-recipes").code, Some(2));

    // Pages follow each other.
    let first = run(&env, "feedstocks list --limit 110 --json").success().json();
    assert_eq!((first["items"].as_array().unwrap().len(), first["next"].as_i64()), (110, Some(110)));
    let rest = run(&env, "feedstocks list --after 110 --json").success().json();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (11, &Value::Null));
    let all = run(&env, "feedstocks list --limit 110").success();
    assert!(all.stdout.starts_with("ID   SPEC") && all.stderr.contains("--after 110"), "{all}");

    // By name, whatever its case, and by id.
    for which in ["PANGEO-forge/staged-recipes", "121"] {
        let shown = run(&env, &format!("feedstocks show {which}")).success();
        assert!(shown.stdout.starts_with("feedstock 121 · pangeo-forge/staged-recipes · github\n"), "{shown}");
    }
    let unknown = run(&env, "feedstocks show pangeo-forge/staged-recipe");
    assert!(unknown.code == Some(5) && unknown.stderr.contains("there is pangeo-forge/staged-recipes"), "{unknown}");
    assert_eq!(run(&env, "feedstocks show 999").code, Some(5));

    let line = ["bakeries", "add", "local-test-bakery", "--region", "local", "--description", "This machine"];
    let added = tokio::task::block_in_place(|| env.pforge(&line)).success();
    assert!(added.stderr.contains("bakery local-test-bakery (#1) is registered"), "{added}");
    let listed = run(&env, "bakeries list").success();
    assert_eq!(
        listed.stdout,
        "ID  NAME               REGION  DESCRIPTION\n1   local-test-bakery  local   This machine\n"
    );
    assert!(run(&env, "bakeries show local-test-bakery").success().stdout.contains("  0 runs\n"));

    // What has runs stays, and says why.
    let row = json!({
        "recipe_id": "daily", "bakery_id": 1, "feedstock_id": 121, "head_sha": SHA, "version": "",
        "started_at": "2026-01-01T00:00:00Z",
    });
    assert_eq!(world.admin("POST", "/recipe_runs/", row).await.0, 200);
    for (line, list) in [
        (
            "feedstocks remove pangeo-forge/staged-recipes --yes",
            "pforge runs list --feedstock pangeo-forge/staged-recipes",
        ),
        ("bakeries remove local-test-bakery --yes", "pforge runs list --bakery local-test-bakery"),
    ] {
        let refused = run(&env, line);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains("was not removed") && refused.stderr.contains(list), "{refused}");
    }
    assert_eq!(run(&env, "feedstocks remove alice/feedstock-7").code, Some(2), "nobody can be asked");
    let removed = run(&env, "feedstocks remove alice/feedstock-7 --yes").success();
    assert!(removed.stderr.contains("feedstock alice/feedstock-7 (#7) is removed"), "{removed}");
    assert_eq!(run(&env, "feedstocks remove alice/feedstock-7 --yes").code, Some(5));
}

async fn runs_are_listed_by_every_filter(database: TestDb) {
    let (world, env) = world(database, &["one", "two", "three"]).await;
    let number = ask(&world.db, 2).await;
    attempts::begin(&world.db, 2, number, None, Utc::now()).await.unwrap();
    let number = ask(&world.db, 3).await;
    end(&world.db, 3, number, Conclusion::Success, None).await;
    for (filter, expected) in [
        ("", &[3, 2, 1][..]),
        ("--feedstock pangeo-forge/staged-recipes", &[3, 2, 1]),
        ("--feedstock 1 --bakery local-test-bakery", &[3, 2, 1]),
        ("--status queued", &[1]),
        ("--status in_progress", &[2]),
        ("--conclusion success", &[3]),
        ("--conclusion failure", &[]),
        ("--test", &[2, 1]),
        ("--production", &[3]),
        ("--recipe two", &[2]),
        ("--sha 5B1D2C0", &[3, 2, 1]),
        ("--sha 5b1d2c0a9e8f7d6c5b4a39281706f5e4d3c2b1a0", &[3, 2, 1]),
        ("--sha 0000000", &[]),
        ("--limit 1", &[3]),
        ("--limit 1 --after 3", &[2]),
        ("--after 1", &[]),
    ] {
        let page = run(&env, &format!("runs list {filter} --json")).success().json();
        let ids: Vec<i64> = page["items"].as_array().unwrap().iter().map(|run| run["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, expected, "{filter}");
    }
    let listed = run(&env, "runs list").success();
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert!(lines[0].starts_with("ID  STATE        KIND        RECIPE  FEEDSTOCK"), "{listed}");
    assert!(
        lines[1].starts_with("3   success      production  three   pangeo-forge/staged-recipes  5b1d2c0"),
        "{listed}"
    );
    assert!(lines[2].starts_with("2   in_progress  test "), "{listed}");
    let unknown = run(&env, "runs list --feedstock alice/none");
    assert!(unknown.code == Some(5) && unknown.stderr.contains("pforge feedstocks list"), "{unknown}");
    let datasets = run(&env, "feedstocks datasets pangeo-forge/staged-recipes --production").success();
    assert!(datasets.stdout.contains("https://data.example.org/x.zarr"), "{datasets}");
    assert!(run(&env, "feedstocks datasets 1 --test").success().stdout.is_empty());

    // Shells ask the same server.
    let offered = |words: &[&str]| {
        let mut command = env.command(&["--"]);
        command.args(["pforge"]).args(words).env("PFORGE_COMPLETE", "fish");
        tokio::task::block_in_place(|| env.run(command, words)).success().stdout
    };
    assert!(offered(&["runs", "show", ""]).contains("3\tthree production success"));
    assert!(offered(&["feedstocks", "show", "pangeo"]).contains(STAGED));
    assert!(offered(&["runs", "list", "--bakery", ""]).contains("local-test-bakery"));
}

async fn a_run_is_shown_with_its_attempts_and_what_to_do_next(database: TestDb) {
    let (world, env) = world(database, &["daily", "monthly"]).await;
    let fresh = run(&env, "runs show 1").success();
    assert!(fresh.stdout.starts_with("run 1 · daily · test · queued\n"), "{fresh}");
    assert!(fresh.stderr.contains("nobody has asked for it yet: pforge runs retry 1 --watch"), "{fresh}");
    let number = ask(&world.db, 1).await;
    attempts::begin(&world.db, 1, number, Some("job-1"), Utc::now()).await.unwrap();
    let going = run(&env, "runs show 1").success();
    assert!(going.stderr.contains("pforge runs logs 1 -f"), "{going}");
    end(&world.db, 1, number, Conclusion::Failure, Some("KeyError: 'time'")).await;
    let shown = run(&env, "runs show 1").success();
    for words in
        ["· failure\n", STAGED, SHA, "/recipe-run/1?feedstock_id=1&orchestratorEndpoint=127.0.0.1", "alice", "job-1"]
    {
        assert!(shown.stdout.contains(words), "{words}: {shown}");
    }
    assert!(shown.stdout.ends_with("Traceback\n  File recipe.py\nKeyError: 'time'\n"), "{shown}");
    assert!(shown.stderr.contains("pforge runs logs 1") && shown.stderr.contains("pforge runs retry 1"), "{shown}");
    let document = run(&env, "runs show 1 --json").success().json();
    assert_eq!(document["attempts"][0]["reason"], "KeyError: 'time'");
    assert!(document["links"]["dashboard"].is_string(), "{document}");
    let unknown = run(&env, "runs show 99");
    assert!(unknown.code == Some(5) && unknown.stderr.contains("no recipe run 99"), "{unknown}");
}

async fn watching_ends_when_all_runs_have_ended(database: TestDb) {
    let (world, env) = world(database, &["good", "bad", "unasked"]).await;
    let nothing = run(&env, "runs watch").success();
    assert!(nothing.stderr.contains("No run is going on."), "{nothing}");
    ask(&world.db, 1).await;
    ask(&world.db, 2).await;
    // Those that somebody has asked for, and no other.
    let mut watch = tokio::task::block_in_place(|| env.start(&["runs", "watch"]));
    assert_eq!(watch.ready, json!({ "type": "ready", "runs": [1, 2] }));
    let mut next = || tokio::task::block_in_place(|| watch.line());
    for id in [1, 2] {
        let line = next();
        assert_eq!((line["id"].as_i64(), line["state"].as_str()), (Some(id), Some("queued")), "{line}");
    }
    attempts::begin(&world.db, 1, 1, None, Utc::now()).await.unwrap();
    let line = next();
    assert_eq!((&line["id"], &line["state"], &line["before"]), (&json!(1), &json!("in_progress"), &json!("queued")));
    end(&world.db, 1, 1, Conclusion::Success, None).await;
    let line = next();
    assert_eq!((&line["state"], &line["over"]), (&json!("success"), &json!(true)), "{line}");
    end(&world.db, 2, 1, Conclusion::Failure, Some("no")).await;
    let line = next();
    assert_eq!((&line["state"], &line["reason"]), (&json!("failure"), &json!("no")), "{line}");
    let (rest, stderr, code) = tokio::task::block_in_place(|| watch.end());
    let last: Value = serde_json::from_str(&rest).unwrap();
    assert_eq!((&last["type"], &last["runs"], &last["failed"]), (&json!("end"), &json!(2), &json!(1)), "{last}");
    assert_eq!(code, Some(1), "{stderr}");
    // For people: a line for each change, and a summary.
    let good = run(&env, "runs watch 1").success();
    assert!(good.stdout.contains("✓ run 1 good") && good.stdout.contains("https://data.example.org/x.zarr"), "{good}");
    assert!(good.stderr.contains("1 run over: 1 success"), "{good}");
    assert_eq!(run(&env, "runs watch 1 2").code, Some(1));
    assert_eq!(run(&env, "runs watch 99").code, Some(5));
}

/// `pforge serve` at `address`, which answers.
fn serve(database: &TestDb, address: &str) -> (Env, Running) {
    let mut env = Env::new();
    let config = include_str!("../fixtures/config/plain.yaml");
    env.write("secrets/config.pforge-local-alice.yaml", config);
    env.set("DATABASE_URL", &database.url);
    let server = tokio::task::block_in_place(|| env.start(&["serve", "--workers", "0", "--listen", address]));
    (env, server)
}

async fn a_log_is_followed_through_a_restart_of_the_server(database: TestDb) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (operator, server) = serve(&database, &address);
    let url = format!("http://{address}");
    tokio::task::block_in_place(|| operator.pforge(&["init-db", &url, STAGED])).success();
    let mut env = operator;
    env.set("PFORGE_SERVER", &url);
    let row = NewRecipeRun {
        recipe_id: "daily".into(),
        bakery_id: 1,
        feedstock_id: 1,
        head_sha: SHA.into(),
        version: String::new(),
        started_at: Utc::now(),
        completed_at: None,
        conclusion: None,
        status: RunStatus::Queued,
        is_test: true,
        dataset_type: None,
        dataset_public_url: None,
        message: None,
        pr_number: None,
    };
    let db = &database.db;
    let id = recipe_runs::insert(db, &row).await.unwrap().id;
    let nobody = run(&env, &format!("runs logs {id}"));
    assert!(nobody.code == Some(5) && nobody.stderr.contains("nobody has asked for recipe run"), "{nobody}");
    let number = ask(db, id).await;
    attempts::begin(db, id, number, None, Utc::now()).await.unwrap();
    logs::append(db, id, number, 0, "one\ntwo\n", Utc::now()).await.unwrap();
    let now = run(&env, &format!("runs logs {id}")).success();
    assert!(now.stdout == "one\ntwo\n" && now.stderr.contains("it is not over"), "{now}");

    let words = ["runs", "logs", &id.to_string(), "-f"];
    let mut following: Child = env.command(&words).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        tokio::task::block_in_place(|| lines.read_line(&mut line)).unwrap();
        line
    };
    assert_eq!((next(), next()), ("one\n".to_owned(), "two\n".to_owned()));
    logs::append(db, id, number, 1, "three\n", Utc::now()).await.unwrap();
    assert_eq!(next(), "three\n");
    // The server goes, the runner goes on, the server comes back.
    let (_, stderr, code) = tokio::task::block_in_place(|| server.stop());
    assert_eq!(code, Some(0), "{stderr}");
    logs::append(db, id, number, 2, "four\n", Utc::now()).await.unwrap();
    let (_other, _server) = serve(&database, &address);
    assert_eq!(next(), "four\n");
    logs::append(db, id, number, 3, "five\n", Utc::now()).await.unwrap();
    end(db, id, number, Conclusion::Failure, Some("no")).await;
    assert_eq!((next(), next()), ("five\n".to_owned(), String::new()));
    let mut stderr = String::new();
    let status = tokio::task::block_in_place(|| {
        following.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        following.wait().unwrap()
    });
    assert_eq!(status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("ended: failure"), "{stderr}");
    let document = run(&env, &format!("runs logs {id} --attempt 1 --json")).success();
    assert!(document.stdout.contains(r#"{"type":"log","text":"four"}"#), "{document}");
    assert_eq!(run(&env, &format!("runs logs {id} --attempt 2")).code, Some(5));
}

async fn a_run_is_asked_for_watched_and_read(database: TestDb) {
    let stage = Stage::start(database).await;
    let pull = stage.open_recipe("gpcp").await;
    stage.concluded(STAGED, &pull.head.sha, "synchronize").await;
    let env = client(&stage.world.url);
    let runs = run(&env, "runs list --json").success().json();
    let id = runs["items"][0]["id"].as_i64().unwrap();
    let watched = run(&env, &format!("runs retry {id} --watch")).success();
    assert!(watched.stdout.contains("success"), "{watched}");
    let log = run(&env, &format!("runs logs {id}")).success();
    assert!(!log.stdout.is_empty(), "{log}");
    let again = run(&env, &format!("runs retry {id} --watch --json")).success();
    assert!(again.stdout.contains(r#""attempt":2"#), "{again}");
    // What is over cannot be stopped.
    let over = run(&env, &format!("runs cancel {id} --yes"));
    assert!(over.code == Some(1) && over.stderr.contains("was not stopped"), "{over}");
}
