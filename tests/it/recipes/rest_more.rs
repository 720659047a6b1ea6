//! The REST API beyond rows: filters, pages, logs, deliveries.

use std::time::{Duration, Instant};

use chrono::Utc;
use pforge::apps::recipes::rows::attempts::{self, End, NewAttempt};
use pforge::apps::recipes::rows::{Conclusion, logs};
use pforge::apps::recipes::{Parts, Settings};
use pforge::emulator::person::RawDelivery;
use pforge::github::{AppCredentials, Client, Config};
use pforge::util::{Clock, Secret};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::github::private_key;
use super::stage::{STAGED, Stage};
use super::world::{API_KEY, World};
use crate::support::pg::{TestDb, on_both};

on_both!(
    filters_find_what_they_name_and_nothing_else,
    a_list_is_read_to_its_end_by_its_links,
    what_did_not_change_is_not_sent_again,
    logs_are_read_and_followed,
    a_run_is_asked_for_again_and_stopped,
    deliveries_at_github_are_shown_without_what_gives_access,
);

/// A feedstock, a bakery, and runs: `recipe`, whether it is a test, its status.
async fn with_runs(world: &World, runs: &[(&str, bool, &str)]) -> Vec<i64> {
    world.init("o/a-feedstock").await;
    let mut ids = Vec::new();
    for (number, (recipe, is_test, status)) in runs.iter().enumerate() {
        let run = json!({ "recipe_id": recipe, "bakery_id": 1, "feedstock_id": 1, "head_sha": format!("sha{number}"),
                          "version": "", "started_at": "2022-09-19T16:31:43Z", "is_test": is_test, "status": status });
        let (code, row) = world.admin("POST", "/recipe_runs", run).await;
        assert_eq!(code, 200, "{row}");
        ids.push(row["id"].as_i64().unwrap());
    }
    ids
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn filters_find_what_they_name_and_nothing_else(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    with_runs(&world, &[("a", true, "queued"), ("b", false, "completed"), ("a", false, "in_progress")]).await;
    assert_eq!(
        world.admin("PATCH", "/recipe_runs/2", json!({ "conclusion": "failure", "dataset_type": "kerchunk" })).await.0,
        200
    );
    for (query, expected) in [
        ("feedstock_id=1", vec![1, 2, 3]),
        ("feedstock_id=2", vec![]),
        ("bakery_id=1&sort=desc", vec![3, 2, 1]),
        ("recipe_id=a", vec![1, 3]),
        ("recipe_id=a&is_test=false", vec![3]),
        ("recipe_id=A", vec![]),
        ("head_sha=sha1", vec![2]),
        ("status=in_progress", vec![3]),
        ("conclusion=failure", vec![2]),
        ("conclusion=success", vec![]),
        ("dataset_type=kerchunk", vec![2]),
        ("is_test=true&status=queued&recipe_id=a&bakery_id=1", vec![1]),
        ("recipe_id=a&after=1", vec![3]),
        ("recipe_id=a&after=3&sort=desc", vec![1]),
        ("order_by=recipe_id&sort=desc&is_test=false", vec![2, 3]),
    ] {
        assert_eq!(ids(&world.get(&format!("/recipe_runs?{query}")).await), expected, "{query}");
    }
    for (path, expected) in [
        ("/feedstocks?spec=o/a-feedstock", 1),
        ("/feedstocks?spec=o/b-feedstock", 0),
        ("/feedstocks?provider=github", 1),
        ("/bakeries?name=local-test-bakery", 1),
        ("/bakeries?region=mars", 0),
    ] {
        assert_eq!(world.get(path).await.as_array().unwrap().len(), expected, "{path}");
    }
    for (query, name) in [
        ("status=lost", "status"),
        ("is_test=maybe", "is_test"),
        ("feedstock_id=x", "feedstock_id"),
        ("recipe_id=%00", "recipe_id"),
        ("after=x", "after"),
    ] {
        let (status, body) = world.call("GET", &format!("/recipe_runs?{query}"), None, None).await;
        assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["query", name])), "{query}: {body}");
    }
}

/// Follows `Link` from `first` on; the ids on the way.
async fn walk(world: &World, first: &str) -> Vec<i64> {
    let (mut path, mut found) = (first.to_owned(), Vec::new());
    loop {
        let page = world.send("GET", &path, &[]).await;
        assert_eq!(page.status(), 200, "{path}");
        let link = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        found.extend(ids(&page.json().await.unwrap()));
        let Some(link) = link else { return found };
        path = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).expect(&link).to_owned();
    }
}

async fn a_list_is_read_to_its_end_by_its_links(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let runs: Vec<(&str, bool, &str)> =
        [("b", true, "queued"), ("a", true, "queued"), ("c", false, "queued")].repeat(3);
    with_runs(&world, &runs).await;
    assert_eq!(walk(&world, "/recipe_runs?limit=2").await, (1..=9).collect::<Vec<i64>>());
    assert_eq!(walk(&world, "/recipe_runs/?limit=4&sort=desc&offset=1").await, (1..=8).rev().collect::<Vec<i64>>());
    assert_eq!(walk(&world, "/recipe_runs?limit=1&is_test=true&after=2").await, [4, 5, 7, 8]);
    assert_eq!(walk(&world, "/recipe_runs?limit=2&order_by=recipe_id").await, [2, 5, 8, 1, 4, 7, 3, 6, 9]);
    assert!(!world.send("GET", "/recipe_runs?limit=9", &[]).await.headers().contains_key("link"), "that is all");
    for id in 1..=3 {
        let done = json!({ "status": "completed", "conclusion": "success", "dataset_public_url": "https://x" });
        assert_eq!(world.admin("PATCH", &format!("/recipe_runs/{id}"), done).await.0, 200);
    }
    assert_eq!(walk(&world, "/feedstocks/1/datasets?limit=1").await, [1, 2, 3]);
    assert_eq!(walk(&world, "/feedstocks/1/datasets?limit=1&type=test").await, [1, 2]);
}

async fn what_did_not_change_is_not_sent_again(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    with_runs(&world, &[("a", true, "queued")]).await;
    for path in
        ["/recipe_runs", "/recipe_runs/1", "/feedstocks/1", "/bakeries", "/stats/datasets", "/recipe_runs/1/attempts"]
    {
        let first = world.send("GET", path, &[]).await;
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(first.headers()["cache-control"], "no-cache", "{path}");
        let again = world.send("GET", path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, tag.as_str()), "{path}");
        assert_eq!(again.text().await.unwrap(), "", "{path}");
        let head = world.send("HEAD", path, &[]).await;
        let length = first.headers()["content-length"].clone();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["etag"], &head.headers()["content-length"]),
            (200, &first.headers()["etag"], &length),
            "{path}"
        );
        assert_eq!(head.text().await.unwrap(), "", "{path}");
        let weak = format!("\"other\", W/{tag}");
        assert_eq!(world.send("HEAD", path, &[("if-none-match", &weak)]).await.status(), 304, "{path}");
    }
    let tag = world.send("GET", "/recipe_runs/1", &[]).await.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(world.admin("PATCH", "/recipe_runs/1", json!({ "status": "completed" })).await.0, 200);
    assert_eq!(world.send("GET", "/recipe_runs/1", &[("if-none-match", &tag)]).await.status(), 200);
    let jobs = world.send("GET", "/jobs", &[("x-api-key", API_KEY)]).await;
    assert_eq!((jobs.status().as_u16(), jobs.headers()["cache-control"].to_str().unwrap()), (200, "private, no-cache"));
    for (path, status) in [("/recipe_runs/99", 404), ("/jobs", 403), ("/recipe_runs?limit=x", 422)] {
        let refused = world.send("GET", path, &[("if-none-match", "*")]).await;
        assert_eq!(
            (refused.status().as_u16(), refused.headers()["cache-control"].to_str().unwrap()),
            (status, "no-store"),
            "{path}"
        );
        assert!(!refused.headers().contains_key("etag"), "{path}");
    }
}

fn asked(token: &str) -> NewAttempt {
    NewAttempt { token: token.into(), requested_by: Some("octocat".into()), comment_id: None }
}

fn end(conclusion: Conclusion) -> End {
    End { conclusion, reason: None, trace: None, dataset_public_url: None }
}

async fn logs_are_read_and_followed(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let run = with_runs(&world, &[("a", true, "queued")]).await[0];
    let path = format!("/recipe_runs/{run}/logs");
    assert_eq!(world.call("GET", "/recipe_runs/99/logs", None, None).await.0, 404);
    assert_eq!(world.call("GET", &path, None, None).await.0, 404, "not started");
    for (number, text) in [(1, "first\n"), (2, "<b>second</b>\n")] {
        attempts::request(&world.db, run, &asked(&format!("t{number}")), Utc::now()).await.unwrap();
        attempts::begin(&world.db, run, number, None, Utc::now()).await.unwrap();
        logs::append(&world.db, run, number, 0, text, Utc::now()).await.unwrap();
        if number == 1 {
            attempts::end(&world.db, run, 1, &end(Conclusion::Failure), Utc::now()).await.unwrap();
        }
    }
    let answer = world.send("GET", &path, &[]).await;
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("x-log-attempt", "2"),
        ("x-log-next", "1"),
    ] {
        assert_eq!(answer.headers()[name], value, "{name}");
    }
    assert_eq!(answer.text().await.unwrap(), "<b>second</b>\n");
    for (query, text) in [("?attempt=1", "first\n"), ("?attempt=1&follow=true", "first\n"), ("?from=1", "")] {
        assert_eq!(world.send("GET", &format!("{path}{query}"), &[]).await.text().await.unwrap(), text, "{query}");
    }
    for (query, status) in [("?attempt=3", 404), ("?attempt=0", 422), ("?from=-1", 422), ("?follow=x", 422)] {
        assert_eq!(world.call("GET", &format!("{path}{query}"), None, None).await.0, status, "{query}");
    }
    let named = "/feedstocks/o/a-feedstock/sha0/a/logs";
    assert_eq!(world.send("GET", named, &[]).await.text().await.unwrap(), "<b>second</b>\n");
    for path in [
        "/feedstocks/o/a-feedstock/sha0/b/logs",
        "/feedstocks/o/x/sha0/a/logs",
        "/feedstocks/o/a-feedstock/sha0/a/logs?is_test=false",
        "/feedstocks/o/a-feedstock/%00/a/logs",
    ] {
        assert_eq!(world.call("GET", path, None, None).await.0, 404, "{path}");
    }
    // A reader who follows gets what comes, and the end.
    let mut following = world.send("GET", &format!("{path}?follow=1"), &[]).await;
    assert_eq!(following.chunk().await.unwrap().unwrap(), "<b>second</b>\n");
    logs::append(&world.db, run, 2, 1, "third\n", Utc::now()).await.unwrap();
    assert_eq!(following.chunk().await.unwrap().unwrap(), "third\n");
    logs::append(&world.db, run, 2, 2, "last\n", Utc::now()).await.unwrap();
    attempts::end(&world.db, run, 2, &end(Conclusion::Success), Utc::now()).await.unwrap();
    let mut rest = Vec::new();
    while let Some(chunk) = following.chunk().await.unwrap() {
        rest.extend_from_slice(&chunk);
    }
    assert_eq!(rest, b"last\n");
}

async fn a_run_is_asked_for_again_and_stopped(database: TestDb) {
    let world = World::start(database, Settings::default()).await;
    let run = with_runs(&world, &[("a", true, "queued")]).await[0];
    let at = |verb: &str| format!("/recipe_runs/{run}/{verb}");
    for (verb, path) in [("retry", "/recipe_runs/99/retry"), ("cancel", "/recipe_runs/99/cancel")] {
        assert_eq!(world.call("POST", &at(verb), None, None).await.0, 403, "{verb}");
        assert_eq!(world.call("POST", &at(verb), Some("wrong"), None).await.0, 401, "{verb}");
        assert_eq!(world.admin("POST", path, Value::Null).await.0, 404, "{verb}");
    }
    assert_eq!(world.admin("POST", &at("cancel"), Value::Null).await.0, 409, "nothing runs");
    assert_eq!(world.admin("POST", &at("cancel?force=x"), Value::Null).await.0, 422);
    attempts::request(&world.db, run, &asked("t"), Utc::now()).await.unwrap();
    let (status, body) = world.admin("POST", &at("retry"), Value::Null).await;
    assert_eq!((status, body), (409, json!({ "detail": "Attempt 1 is not over. Cancel it first." })));
    let (status, row) = world.admin("POST", &at("cancel"), Value::Null).await;
    assert_eq!((status, &row["id"]), (202, &json!(run)));
    let listed = world.get(&at("attempts")).await;
    assert!(listed[0]["cancel_requested_at"].is_string(), "{listed}");
    attempts::end(&world.db, run, 1, &end(Conclusion::Cancelled), Utc::now()).await.unwrap();
    assert_eq!(world.admin("POST", &at("cancel"), Value::Null).await.0, 409, "it is over");
    let (status, row) = world.admin("POST", &at("retry"), Value::Null).await;
    assert_eq!((status, &row["recipe_id"]), (202, &json!("a")));
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let listed = world.get(&at("attempts")).await;
        if let Some(second) = listed.get(1) {
            assert_eq!((&second["number"], &second["requested_by"]), (&json!(2), &json!("api")));
            break;
        }
        assert!(Instant::now() < until, "no attempt was made: {:?}", world.jobs().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn deliveries_at_github_are_shown_without_what_gives_access(database: TestDb) {
    let stage = Stage::start(database).await;
    let pull = stage.open_recipe("sst").await;
    stage.settled().await;
    let about_pulls = stage.person.deliveries().await.unwrap().len();
    // More than a page of others, so that those about the repository stand on the second.
    for number in 0..110 {
        let ping = RawDelivery {
            event: "ping".into(),
            payload: json!({ "zen": number }),
            headers: [("Authorization".to_owned(), Some("Bearer hush-hush".to_owned()))].into(),
            ..RawDelivery::default()
        };
        stage.person.send_raw(&ping).await.unwrap();
    }
    stage.person.settled(Duration::from_secs(60)).await.unwrap();
    let world = &stage.world;
    let paths = ["/github/hooks/deliveries", "/feedstocks/1/deliveries", "/github/hooks/deliveries/1"];
    for path in paths {
        assert_eq!(world.call("GET", path, None, None).await.0, 403, "{path}");
        assert_eq!(world.call("GET", path, Some("wrong"), None).await.0, 401, "{path}");
    }
    let (status, all) = world.admin("GET", "/github/hooks/deliveries/", Value::Null).await;
    let all = all.as_array().unwrap();
    assert_eq!((status, all.len()), (200, 110 + about_pulls), "all pages");
    let (_, about) = world.admin("GET", "/feedstocks/1/deliveries", Value::Null).await;
    let about = about.as_array().unwrap();
    assert!(about.iter().any(|delivery| delivery["event"] == "pull_request"), "{about:?}");
    assert!(about.iter().all(|delivery| delivery["repository_id"] == about[0]["repository_id"]));
    let one = format!("/github/hooks/deliveries/{}", all[0]["id"]);
    let (status, response) = world.admin("GET", &one, Value::Null).await;
    assert_eq!((status, response.as_object().unwrap().len()), (200, 2));
    let (_, whole) = world.admin("GET", &format!("{one}?response_only=false"), Value::Null).await;
    assert_eq!((&whole["event"], &whole["request"]["payload"]["zen"]), (&json!("ping"), &json!(109)));
    let headers = whole["request"]["headers"].as_object().unwrap();
    let hidden: Vec<&String> = headers.iter().filter(|(_, value)| *value == "***").map(|(name, _)| name).collect();
    assert_eq!(hidden.len(), 3, "two signatures and the authorization: {headers:?}");
    assert!(!whole.to_string().contains("sha256=") && !whole.to_string().contains("hush-hush"), "{whole}");
    for (path, detail) in [
        ("/feedstocks/99/deliveries", "Id 99 not found in feedstock table."),
        ("/feedstocks/2/deliveries", "Pangeo Forge GitHub App not installed in 'elsewhere/repo' repository."),
        ("/feedstocks/3/deliveries", "Pangeo Forge GitHub App not installed in 'nonsense' repository."),
        ("/github/hooks/deliveries/999999", "delivery not found"),
    ] {
        if path.starts_with("/feedstocks/2") {
            assert_eq!(world.admin("POST", "/feedstocks", json!({ "spec": "elsewhere/repo" })).await.0, 200);
            assert_eq!(world.admin("POST", "/feedstocks", json!({ "spec": "nonsense" })).await.0, 200);
        }
        assert_eq!(world.admin("GET", path, Value::Null).await, (404, json!({ "detail": detail })), "{path}");
    }
    let (status, body) = world.admin("GET", "/github/hooks/deliveries?after=nonsense", Value::Null).await;
    assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["query", "after"])));
    // A public repository's check runs are for everybody.
    stage.concluded(STAGED, &pull.head.sha, "synchronize").await;
    let runs = world.get(&format!("/feedstocks/1/commits/{}/check-runs", pull.head.sha)).await;
    assert!(runs["total_count"].as_i64() >= Some(1), "{runs}");
    assert!(runs["check_runs"].as_array().unwrap().iter().any(|run| run["name"] == "synchronize"), "{runs}");
    assert_eq!(world.call("GET", "/feedstocks/99/commits/main/check-runs", None, None).await.0, 404);
    assert_eq!(world.call("GET", "/feedstocks/1/commits/nothing/check-runs", None, None).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_public_only_where_that_is_set() {
    let stage = Stage::with(TestDb::sqlite().await, |plan| plan.settings.public_deliveries = true).await;
    for path in ["/github/hooks/deliveries", "/feedstocks/1/deliveries"] {
        assert!(stage.world.get(path).await.is_array(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_github_that_does_not_answer_is_no_fault_of_this_server() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = deaf.local_addr().unwrap();
    drop(deaf);
    let credentials = AppCredentials { issuer: "7".into(), private_key: Secret::new(private_key()) };
    let config = Config { api_url: format!("http://{address}").parse().unwrap(), credentials, clock: Clock::system() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(config).unwrap();
    let world = World::serve(listener, TestDb::sqlite().await, Settings::default(), client);
    world.init("o/a-feedstock").await;
    for path in ["/github/hooks/deliveries", "/feedstocks/1/commits/main/check-runs"] {
        let (status, body) = world.admin("GET", path, Value::Null).await;
        assert_eq!((status, body), (502, json!({ "detail": "GitHub could not be reached." })), "{path}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let database = TestDb::sqlite().await;
    let parts = Parts::new(database.db.clone(), Clock::system());
    let world = World::serve_parts(listener, database, parts);
    let (status, body) = world.admin("GET", "/github/hooks/deliveries", Value::Null).await;
    assert_eq!((status, body), (503, json!({ "detail": "No GitHub App is configured on this server." })));
    assert_eq!(world.call("GET", "/repr/xarray?url=https://x", None, None).await.0, 501);
}
