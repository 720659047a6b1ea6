//! The typed calls.

use chrono::{DateTime, Utc};
use http::Method;
use pforge::github::api::apps::HookChange;
use pforge::github::api::checks::{Conclude, NewCheckRun, Output, Progress};
use pforge::github::{Auth, Client, Error};
use pforge::util::{Clock, Secret};
use serde_json::json;

use super::fake::{Fake, TestClock, message, reply, verified};

const NOW: &str = "2026-11-20T12:00:00Z";

fn at() -> DateTime<Utc> {
    TestClock::at(NOW).now()
}

fn output(summary: &str) -> Output {
    Output { title: "t".into(), summary: summary.into(), text: None }
}

#[tokio::test]
async fn a_check_run_is_created_once_and_concluded_surely() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match (seen.method.as_str(), seen.path.as_str(), seen.before) {
        ("POST", "/repos/o/r/check-runs", 0) => {
            Some(reply(201, json!({ "id": 5, "name": "n", "head_sha": "s", "status": "in_progress" })))
        }
        ("POST", "/repos/o/r/check-runs", _) | ("PATCH", "/repos/o/r/check-runs/5", 0) => {
            Some(message(502, "Server Error"))
        }
        ("PATCH", "/repos/o/r/check-runs/5", _) => {
            Some(reply(200, json!({ "id": 5, "status": "completed", "conclusion": "success" })))
        }
        _ => None,
    })
    .await;
    let repository = fake.client(&clock).repository("o/r", Some(7));
    let mut new = NewCheckRun {
        name: "n".into(),
        head_sha: "s".into(),
        status: "in_progress",
        conclusion: None,
        started_at: at(),
        external_id: Some("e".into()),
        details_url: None,
        output: output(&"é".repeat(70_000)),
        actions: Vec::new(),
    };
    let run = repository.create_check_run(&new).await.unwrap();
    assert_eq!((run.id, run.status.as_str(), run.conclusion), (5, "in_progress", None));
    let sent = fake.seen().last().unwrap().json();
    assert_eq!(sent["output"]["summary"].as_str().unwrap().chars().count(), 65_535);
    assert_eq!((&sent["started_at"], &sent["external_id"]), (&json!(NOW), &json!("e")));
    assert!(sent.get("details_url").is_none());

    let error = repository.create_check_run(&new).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(fake.count("POST", "/repos/o/r/check-runs"), 2, "a second creation is for the caller to decide");

    let end = Conclude {
        status: "completed",
        conclusion: "success",
        completed_at: at(),
        output: output(""),
        actions: Vec::new(),
    };
    assert_eq!(repository.conclude_check_run(5, &end).await.unwrap().conclusion.as_deref(), Some("success"));
    assert_eq!(fake.count("PATCH", "/repos/o/r/check-runs/5"), 2);
    repository.update_check_run(5, &Progress { status: Some("queued"), ..Progress::default() }).await.unwrap();
    assert_eq!(fake.seen().last().unwrap().json(), json!({ "status": "queued" }));

    let before = fake.seen().len();
    let stale = Conclude { conclusion: "stale", ..end };
    assert!(matches!(repository.conclude_check_run(5, &stale).await, Err(Error::Invalid(_))));
    new.name.clear();
    assert!(matches!(repository.create_check_run(&new).await, Err(Error::Invalid(_))));
    assert_eq!(fake.seen().len(), before);
}

#[tokio::test]
async fn check_runs_are_found_by_name_on_any_ref() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| {
        seen.path.ends_with("/check-runs").then(|| {
            reply(200, json!({ "total_count": 1, "check_runs": [{ "id": 5, "status": "queued", "conclusion": null }] }))
        })
    })
    .await;
    let runs = fake.client(&clock).repository("o/r", Some(7)).check_runs("feature/x", "a & b").await.unwrap();
    assert_eq!(runs.len(), 1);
    let seen = fake.seen().last().unwrap().clone();
    assert_eq!(seen.path, "/repos/o/r/commits/feature%2Fx/check-runs");
    assert_eq!(seen.query, "check_name=a+%26+b&filter=all&per_page=100");
}

#[tokio::test]
async fn files_are_decoded_whatever_their_size() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match seen.path.as_str() {
        "/repos/o/r/contents/a%20b/meta.yaml" => {
            Some(reply(200, json!({ "type": "file", "encoding": "base64", "content": "aGVs\nbG8=\n" })))
        }
        "/repos/o/r/contents/empty" => Some(reply(200, json!({ "type": "file", "encoding": "base64", "content": "" }))),
        "/repos/o/r/contents/large" if seen.header("accept") == "application/vnd.github.raw+json" => {
            Some(reply(200, json!([1])))
        }
        "/repos/o/r/contents/large" => {
            Some(reply(200, json!({ "type": "file", "encoding": "none", "content": "", "size": 3 })))
        }
        "/repos/o/r/contents/folder" => Some(reply(200, json!([{ "type": "file" }]))),
        "/repos/o/r/contents/module" => Some(reply(200, json!({ "type": "submodule" }))),
        _ => None,
    })
    .await;
    let repository = fake.client(&clock).repository("o/r", Some(7));
    let file = async |path: &str| repository.file(path, "main").await;
    assert_eq!(file("a b/meta.yaml").await.unwrap().as_deref(), Some(b"hello".as_slice()));
    assert_eq!(fake.seen().last().unwrap().query, "ref=main");
    assert_eq!(file("/empty").await.unwrap().as_deref(), Some(b"".as_slice()));
    assert_eq!(file("large").await.unwrap().as_deref(), Some(b"[1]".as_slice()));
    assert_eq!(file("missing").await.unwrap(), None);
    for path in ["folder", "module"] {
        assert!(matches!(file(path).await, Err(Error::Decode { .. })), "{path}");
    }
    for path in ["../../../app", "a//b", "", "."] {
        assert!(matches!(file(path).await, Err(Error::Invalid(_))), "{path}");
    }
    for name in ["o", "o/r/x", "../r", "o/..", "/r"] {
        let error = fake.client(&clock).repository(name, Some(7)).pull_files(1).await;
        assert!(matches!(error, Err(Error::Invalid(_))), "{name}");
    }
}

#[tokio::test]
async fn the_webhook_is_read_and_changed_as_the_app() {
    let clock = TestClock::at(NOW);
    let fake = Fake::start(|_| {
        reply(200, json!({ "url": "https://x", "content_type": "json", "insecure_ssl": "0", "secret": "********" }))
    })
    .await;
    let client = fake.client(&clock);
    assert_eq!(client.hook_config().await.unwrap().url.as_deref(), Some("https://x"));
    let change = HookChange {
        url: Some("https://y".into()),
        verify_tls: Some(true),
        secret: Some(Secret::new("wh")),
        ..HookChange::default()
    };
    client.change_hook_config(&change).await.unwrap();
    let seen = fake.seen();
    assert!(seen[0].is("GET", "/app/hook/config") && seen[1].is("PATCH", "/app/hook/config"));
    assert_eq!(seen[1].json(), json!({ "url": "https://y", "insecure_ssl": "0", "secret": "wh" }));
    verified(seen[1].bearer());
}

#[tokio::test]
async fn a_manifest_is_converted_without_credentials_and_once() {
    let fake = Fake::start(|seen| match seen.path.as_str() {
        "/app-manifests/c0de/conversions" => reply(
            201,
            json!({
                "id": 9, "slug": "my-app", "name": "My App", "html_url": "https://github.com/apps/my-app",
                "client_id": "Iv1", "client_secret": "cs", "webhook_secret": null, "pem": "PEM",
                "owner": { "login": "me", "type": "User" }, "permissions": { "checks": "write" }, "events": ["push"],
            }),
        ),
        "/app-manifests/busy/conversions" => message(502, "Server Error"),
        _ => message(404, "Not Found"),
    })
    .await;
    let client = Client::anonymous(fake.url.clone(), Clock::system()).unwrap();
    let app = client.convert_manifest("c0de").await.unwrap();
    assert_eq!((app.id, app.slug.as_str(), app.pem.expose()), (9, "my-app", "PEM"));
    assert!(app.webhook_secret.is_none());
    let seen = fake.seen();
    assert!(seen[0].is("POST", "/app-manifests/c0de/conversions"));
    assert_eq!(seen[0].header("authorization"), "");
    client.convert_manifest("busy").await.unwrap_err();
    assert_eq!(fake.count("POST", "/app-manifests/busy/conversions"), 1);
    let error = client.convert_manifest("old").await.unwrap_err();
    assert!(error.explanation().unwrap().contains("hour"), "{error:?}");
    assert!(matches!(client.app().await, Err(Error::Credentials(_))));
}

#[tokio::test]
async fn deliveries_are_paged_by_githubs_own_links() {
    let row = |id: i64| {
        json!({
            "id": id, "guid": format!("g{id}"), "delivered_at": NOW, "redelivery": false, "duration": 0.03,
            "status": "OK", "status_code": 202, "event": "pull_request", "action": "opened",
            "installation_id": 7, "repository_id": null, "url": "", "throttled_at": null,
        })
    };
    let fake = Fake::start(move |seen| match (seen.path.as_str(), seen.query.as_str()) {
        ("/app/hook/deliveries", "per_page=100") => reply(200, json!([row(3), row(2)])).with(
            "link",
            format!("<http://{}/app/hook/deliveries?per_page=100&cursor=v1_2>; rel=\"next\"", seen.header("host")),
        ),
        ("/app/hook/deliveries", "per_page=100&cursor=v1_2") => reply(200, json!([row(1)])),
        ("/app/hook/deliveries/12345678901234567", _) => {
            let mut detail = row(12_345_678_901_234_567);
            detail["url"] = json!("https://x");
            detail["request"] =
                json!({ "headers": { "X-GitHub-Event": "pull_request" }, "payload": { "b": 1, "a": 2 } });
            detail["response"] = json!({ "headers": {}, "payload": "ok" });
            reply(200, detail)
        }
        ("/app/hook/deliveries/3/attempts", _) => reply(202, json!({})),
        _ => message(404, "Not Found"),
    })
    .await;
    let client = fake.client(&TestClock::at(NOW));
    let first = client.hook_deliveries(None).await.unwrap();
    assert_eq!(first.items.iter().map(|d| d.id).collect::<Vec<_>>(), [3, 2]);
    let second = client.hook_deliveries(first.next.as_ref()).await.unwrap();
    assert_eq!((second.items[0].guid.as_str(), second.next), ("g1", None));
    let detail = client.hook_delivery(12_345_678_901_234_567).await.unwrap();
    assert_eq!(detail.delivery.id, 12_345_678_901_234_567);
    assert_eq!(detail.request.payload.unwrap().to_string(), r#"{"b":1,"a":2}"#);
    client.redeliver(3).await.unwrap();
    assert_eq!(client.redeliver(4).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn any_call_can_be_made_as_whoever_the_endpoint_wants() {
    let clock = TestClock::at(NOW);
    let fake = Fake::github(clock.clone(), |seen| match seen.path.as_str() {
        "/repos/o/r/installation" => Some(reply(200, json!({ "id": 7, "account": { "login": "o" } }))),
        "/app/installations" => Some(reply(200, json!([{ "id": 7, "account": null, "suspended_at": null }]))),
        "/repos/o/r" | "/app" => Some(reply(200, json!({}))),
        _ => None,
    })
    .await;
    let client = fake.client(&clock);
    for path in ["/repos/o/r", "/app"] {
        let auth = Auth::for_endpoint(path, None).unwrap();
        client.request(auth, Method::GET, path, None).await.unwrap();
    }
    let bearer = |path: &str| fake.seen().iter().find(|s| s.path == path).unwrap().bearer().to_owned();
    assert_eq!(bearer("/repos/o/r"), "ghs_token_1");
    verified(&bearer("/app"));
    assert_eq!(client.installations().await.unwrap()[0].id, 7);
    assert_eq!(client.repository_installation("o/r").await.unwrap().unwrap().id, 7);
}
