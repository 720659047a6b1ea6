//! What each event leads to, through the running server.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use pforge::apps::recipes::forward::{ForwardSettings, Forwarder, Passed, Pattern};
use pforge::apps::recipes::{Parts, Settings};
use pforge::store::jobs::{JobRow, JobState};
use pforge::util::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::github::GitHub;
use super::world::{World, pull};
use crate::support::pg::{TestDb, on_both};

const STAGED: &str = "o/staged-recipes";
const FEEDSTOCK: &str = "o/gpcp-feedstock";

on_both!(
    row_24_every_event_has_its_answer,
    row_36_our_own_cleanup_starts_nothing,
    row_43_only_pull_requests_with_a_label_are_acted_on,
    labelled_pull_requests_are_only_passed_on,
    a_target_that_is_away_is_tried_again_and_one_that_refuses_is_not,
);

fn merged(full_name: &str) -> Value {
    let mut payload = pull(full_name, "abc1");
    payload["action"] = json!("closed");
    payload["pull_request"]["merged"] = json!(true);
    payload["pull_request"]["merge_commit_sha"] = json!("ffff");
    payload
}

fn comment(body: &str) -> Value {
    json!({
        "action": "created",
        "comment": { "id": 9, "body": body, "author_association": "MEMBER", "user": { "login": "alice" } },
        "issue": { "number": 3, "labels": [], "pull_request": { "url": "https://api.github.com/x" } },
        "repository": { "full_name": STAGED },
    })
}

/// A payload with the value at a place changed.
fn with(mut payload: Value, pointer: &str, value: Value) -> Value {
    match payload.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => payload[pointer.trim_start_matches('/')] = value,
    }
    payload
}

fn skip(message: &str) -> Value {
    json!({ "status": "skip", "message": message })
}

fn detail(text: &str) -> Value {
    json!({ "detail": text })
}

/// The kinds of the jobs of a delivery.
async fn kinds(world: &World, guid: &str) -> Vec<String> {
    let (status, seen) = world.admin("GET", &format!("/deliveries/{guid}"), Value::Null).await;
    assert_eq!(status, 200, "{seen}");
    seen["jobs"].as_array().unwrap().iter().map(|job| job["kind"].as_str().unwrap().to_owned()).collect()
}

async fn row_24_every_event_has_its_answer(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let synchronize = |full_name: &str| {
        let name = full_name.split_once('/').unwrap().1;
        let args = json!([
            format!("https://github.com/fork/{name}"),
            "abc1",
            3,
            format!("https://api.github.com/repos/{full_name}"),
            full_name
        ]);
        json!({ "status": "ok", "background_tasks": [{ "task": "synchronize", "args": args }] })
    };
    let cleanup = skip("This is an automated cleanup PR. Skipping.");
    let unhandled = detail("No handling implemented for this event type.");
    let malformed = detail("Command /run not of form ``['/run', RECIPE_NAME]``.");
    let check = |action: &str, external_id: &str| {
        json!({
            "action": action,
            "check_run": { "head_sha": "abc1", "external_id": external_id },
            "requested_action": { "identifier": "run_test" },
            "repository": { "full_name": STAGED, "url": "https://api.github.com/repos/o/staged-recipes" },
            "sender": { "login": "alice" },
        })
    };
    let suite = json!({
        "action": "rerequested",
        "check_suite": { "head_sha": "abc1" },
        "repository": { "full_name": STAGED, "url": "https://api.github.com/repos/o/staged-recipes" },
    });
    let elsewhere = json!({ "status": "ok", "message": "Skipping synchronize for repo o/website" });
    let foreign_merge = skip("This not a -feedstock repo. Skipping.");
    let talk = json!({ "status": "ok", "message": "Comment is not a slash command." });
    let ok = json!({ "status": "ok" });
    let on_staged = || pull(STAGED, "abc1");
    let report = json!({ "action": "completed", "recipe_run_id": 1, "conclusion": "success" });
    #[rustfmt::skip]
    let table: Vec<(&str, Value, u16, Value, &[&str])> = vec![
        ("pull_request", on_staged(), 202, synchronize(STAGED), &["recipes.synchronize"]),
        ("pull_request", with(on_staged(), "/action", json!("synchronize")), 202, synchronize(STAGED), &["recipes.synchronize"]),
        ("pull_request", with(on_staged(), "/action", json!("reopened")), 202, synchronize(STAGED), &["recipes.synchronize"]),
        ("pull_request", with(on_staged(), "/action", json!("ready_for_review")), 202, synchronize(STAGED), &["recipes.synchronize"]),
        ("pull_request", pull(FEEDSTOCK, "abc1"), 202, synchronize(FEEDSTOCK), &["recipes.synchronize"]),
        ("pull_request", pull("o/website", "abc1"), 202, elsewhere, &[]),
        ("pull_request", with(on_staged(), "/pull_request/title", json!("Cleanup x")), 202, cleanup.clone(), &[]),
        ("pull_request", with(on_staged(), "/action", json!("labeled")), 202, Value::Null, &[]),
        ("pull_request", with(on_staged(), "/action", json!("closed")), 202, Value::Null, &[]),
        ("pull_request", merged(STAGED), 202, Value::Null, &["recipes.create_feedstock"]),
        ("pull_request", merged(FEEDSTOCK), 202, Value::Null, &["recipes.deploy_prod"]),
        ("pull_request", merged("o/website"), 202, foreign_merge, &[]),
        ("issue_comment", comment("nice"), 202, talk, &[]),
        ("issue_comment", comment("/run x"), 202, Value::Null, &["recipes.run_test"]),
        ("issue_comment", comment("/stop"), 400, unhandled.clone(), &[]),
        ("issue_comment", comment("/run"), 400, malformed.clone(), &["recipes.answer"]),
        ("issue_comment", comment("/run a b"), 400, malformed, &["recipes.answer"]),
        ("issue_comment", with(comment("/run x"), "/action", json!("edited")), 202, Value::Null, &[]),
        ("issue_comment", with(comment("/run x"), "/issue/pull_request", Value::Null), 202,
            skip("Comment is not on a pull request. Skipping."), &[]),
        ("dataflow", report.clone(), 202, Value::Null, &["recipes.report"]),
        ("bakery", report.clone(), 202, Value::Null, &["recipes.report"]),
        ("bakery", with(report, "/conclusion", json!("stale")), 400,
            detail("No handling implemented for payload['conclusion'] = 'stale'."), &[]),
        ("check_run", check("rerequested", "pull/3/t"), 202, Value::Null, &["recipes.synchronize"]),
        ("check_run", check("rerequested", "recipe-run/1"), 202, Value::Null, &["recipes.request_run"]),
        ("check_run", check("requested_action", "recipe-run/1"), 202, Value::Null, &["recipes.request_run"]),
        ("check_run", check("rerequested", "other"), 202, Value::Null, &[]),
        ("check_run", check("created", "recipe-run/1"), 501, unhandled.clone(), &[]),
        ("check_suite", suite, 202, ok.clone(), &["recipes.resynchronize"]),
        ("check_suite", json!({ "action": "requested" }), 202, ok, &[]),
        ("ping", json!({ "zen": "x" }), 501, unhandled.clone(), &[]),
        ("installation", json!({ "action": "created" }), 501, unhandled, &[]),
    ];
    for (number, (event, payload, status, body, jobs)) in table.into_iter().enumerate() {
        let guid = format!("g-{number}");
        assert_eq!(world.deliver(event, &guid, &payload).await, (status, body), "{event} {payload}");
        assert_eq!(kinds(&world, &guid).await, jobs, "{event} {payload}");
    }
}

async fn row_36_our_own_cleanup_starts_nothing(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    for (number, title) in ["Cleanup o/gpcp-feedstock", "CLEANUP x"].into_iter().enumerate() {
        let payload = with(merged(STAGED), "/pull_request/title", json!(title));
        let answer = world.deliver("pull_request", &format!("g-{number}"), &payload).await;
        assert_eq!(answer, (202, skip("This is an automated cleanup PR. Skipping.")));
    }
    assert!(world.jobs().await.is_empty() && world.github.calls().is_empty());
}

async fn row_43_only_pull_requests_with_a_label_are_acted_on(database: TestDb) {
    let settings = Settings { run_only_on: vec!["my-app".to_owned()], ..Settings::default() };
    let world = World::start(database, settings).await;
    let skipped = skip("The pull request carries no label of: my-app. Skipping.");
    let labels = json!([{ "name": "other" }, { "name": "My-App" }]);
    for (number, (event, payload, pointer)) in [
        ("pull_request", pull(STAGED, "abc1"), "/pull_request/labels"),
        ("pull_request", merged(STAGED), "/pull_request/labels"),
        ("pull_request", merged(FEEDSTOCK), "/pull_request/labels"),
        ("issue_comment", comment("/run x"), "/issue/labels"),
        ("issue_comment", comment("/run"), "/issue/labels"),
    ]
    .into_iter()
    .enumerate()
    {
        let (without, labelled) = (format!("without-{number}"), format!("with-{number}"));
        let mut bare = payload.clone();
        *bare.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = json!([]);
        assert_eq!(world.deliver(event, &without, &bare).await, (202, skipped.clone()));
        assert!(kinds(&world, &without).await.is_empty(), "{event}");
        world.deliver(event, &labelled, &with(payload, pointer, labels.clone())).await;
        assert_eq!(kinds(&world, &labelled).await.len(), 1, "{event}");
    }
}

/// Answers with the next of its statuses, the last of them for ever; 0 is no answer.
#[derive(Default)]
struct Target {
    statuses: Mutex<Vec<u16>>,
    seen: Mutex<Vec<(Url, Passed)>>,
}

impl Forwarder for Target {
    fn forward<'a>(&'a self, url: &'a Url, delivery: Passed) -> BoxFuture<'a, Result<u16, String>> {
        self.seen.lock().unwrap().push((url.clone(), delivery));
        let mut statuses = self.statuses.lock().unwrap();
        let status = if statuses.len() > 1 { statuses.remove(0) } else { statuses[0] };
        let answer = if status == 0 { Err("connection refused".to_owned()) } else { Ok(status) };
        Box::pin(std::future::ready(answer))
    }
}

async fn forwarding(database: TestDb, statuses: &[u16]) -> (World, Arc<Target>) {
    let target = Arc::new(Target { statuses: Mutex::new(statuses.to_vec()), seen: Mutex::default() });
    let hosts = vec![Pattern::try_from("*.example.org".to_owned()).unwrap()];
    let parts = Parts {
        settings: Settings { forward: ForwardSettings { hosts }, ..Settings::default() },
        forwarder: Some(Arc::clone(&target) as Arc<dyn Forwarder>),
        github: Some(GitHub::start().await.client()),
        ..Parts::new(database.db.clone(), Clock::system())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (World::serve_parts(listener, database, parts), target)
}

const TARGET: &str = "https://pr-1.example.org/github/hooks/";

fn labelled() -> Value {
    let labels = json!([{ "name": "fwd:pr-1.example.org/github/hooks/" }]);
    with(pull(STAGED, "abc1"), "/pull_request/labels", labels)
}

async fn labelled_pull_requests_are_only_passed_on(database: TestDb) {
    let (world, target) = forwarding(database, &[202]).await;
    let body = json!({ "status": "ok", "background_tasks": [{ "task": "forward", "args": [TARGET] }] });
    assert_eq!(world.deliver("pull_request", "g-1", &labelled()).await, (202, body));
    let jobs = world.drained().await;
    let outcome = format!("{TARGET} answered 202");
    assert_eq!((jobs.len(), jobs[0].outcome.as_deref()), (1, Some(outcome.as_str())), "{jobs:?}");
    let seen = target.seen.lock().unwrap();
    let (url, passed) = &seen[0];
    assert_eq!((seen.len(), url.as_str()), (1, TARGET));
    assert_eq!(passed.body, labelled().to_string().as_bytes(), "byte for byte");
    let header = |name: &str| passed.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    assert_eq!((header("x-github-event"), header("x-github-delivery")), (Some("pull_request"), Some("g-1")));
    assert_eq!((header("content-type"), header("host")), (Some("application/json"), None));
}

async fn a_target_that_is_away_is_tried_again_and_one_that_refuses_is_not(database: TestDb) {
    let (world, target) = forwarding(database, &[0, 400]).await;
    world.deliver("pull_request", "g-1", &labelled()).await;
    let end = |jobs: &[JobRow]| (jobs[0].state, jobs[0].attempts);
    // The target's own answer that a command is wrong is an answer.
    assert_eq!(end(&world.drained().await), (JobState::Done, 2));
    *target.statuses.lock().unwrap() = vec![401];
    world.deliver("pull_request", "g-2", &labelled()).await;
    let jobs = world.drained().await;
    assert_eq!(end(&jobs), (JobState::Dead, 1));
    assert_eq!(jobs[0].last_error.as_deref(), Some(format!("{TARGET} answered 401").as_str()));
}
