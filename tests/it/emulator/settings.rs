//! What owners change: permissions that wait for approval, keys, hooks, suspension, and the age of deliveries.

use chrono::Utc;
use http::Method;
use pforge::emulator::person::RawDelivery;
use pforge::emulator::seed::SeedRepo;
use pforge::emulator::state::Level;
use serde_json::{Value, json};

use super::real::{judge, judge_deliveries};
use super::support::{
    APP_ID, Api, Emulator, PATIENCE, REPO, Sink, as_app, as_installation, installed, permissions, sign,
};

const SLUG: &str = "seeded";

#[tokio::test]
async fn permissions_wait_for_the_account() {
    let sink = Sink::start(200).await;
    let (seed, pem) = installed(permissions(&[("issues", Level::Write)]), &["issues"], Some(&sink.url));
    let emulator = Emulator::start(seed).await;
    let (person, app) = (&emulator.person, as_app(&emulator.base, &pem, &APP_ID.to_string()));
    let id = app.get("/app/installations").await.body[0]["id"].as_i64().unwrap();
    let tokens = format!("/app/installations/{id}/access_tokens");
    let outdated = || async {
        let list = app.get("/app/installations?outdated=true").await.body;
        list.as_array().unwrap().len()
    };
    assert_eq!(outdated().await, 0);
    assert!(person.approve(id).await.is_err(), "there is nothing to approve");

    let wanted = json!({"permissions": {"issues": "write", "checks": "write"}, "events": ["issues", "check_run"]});
    person.edit_app(SLUG, wanted).await.unwrap();
    assert_eq!(app.get("/app").await.body["permissions"]["checks"], "write");
    let kept = app.get(&format!("/app/installations/{id}")).await.body;
    assert_eq!(kept["permissions"], json!({"issues": "write", "metadata": "read"}));
    assert_eq!(kept["events"], json!(["issues"]));
    assert_eq!(outdated().await, 1);
    let refused = app.post(&tokens, json!({"permissions": {"checks": "write"}})).await;
    let told = "The permissions requested are not granted to this installation.";
    assert_eq!((refused.status, refused.message()), (422, told));
    let api = as_installation(&app, json!({})).await;
    let forbidden = api.post(&format!("/repos/{REPO}/check-runs"), json!({"name": "n", "head_sha": "main"})).await;
    assert_eq!((forbidden.status, forbidden.message()), (403, "Resource not accessible by integration"));
    assert_eq!(forbidden.header("x-accepted-github-permissions"), "checks=write");

    person.approve(id).await.unwrap();
    assert_eq!(outdated().await, 0);
    let given = app.get(&format!("/app/installations/{id}")).await.body;
    assert_eq!((&given["permissions"]["checks"], &given["events"][1]), (&json!("write"), &json!("check_run")));
    assert_eq!(app.post(&tokens, json!({"permissions": {"checks": "write"}})).await.status, 201);

    // Giving up needs nobody, and reaches tokens that are out already.
    person.edit_app(SLUG, json!({"permissions": {"checks": "read"}, "events": []})).await.unwrap();
    assert_eq!(outdated().await, 0);
    let issues = api.post(&format!("/repos/{REPO}/issues"), json!({"title": "x"})).await;
    assert_eq!(issues.status, 403, "{:?}", issues.body);
    let unsupported = person.edit_app(SLUG, json!({"events": ["pull_request"]})).await;
    assert!(unsupported.unwrap_err().to_string().contains("Default events unsupported: pull_request"));

    person.settled(PATIENCE).await.unwrap();
    assert_eq!(sink.events(), ["installation.new_permissions_accepted"]);
    judge_deliveries(&person.deliveries().await.unwrap(), 1);
    judge(&person.calls().await.unwrap(), 10);
    emulator.stop().await;
}

#[tokio::test]
async fn deliveries_are_forgotten_after_three_days() {
    for (days, kept) in [(None, false), (Some(7), true)] {
        let sink = Sink::start(500).await;
        let (mut seed, pem) = installed(permissions(&[]), &[], Some(&sink.url));
        seed.delivery_days = days;
        let emulator = Emulator::start(seed).await;
        let person = &emulator.person;
        person.send_raw(&RawDelivery { event: "ping".into(), ..RawDelivery::default() }).await.unwrap();
        person.settled(PATIENCE).await.unwrap();
        // Of a list that was fetched in time.
        let list = as_app(&emulator.base, &pem, &APP_ID.to_string()).get("/app/hook/deliveries").await.body;
        let id = list[0]["id"].as_i64().unwrap();
        let later = 3 * 24 * 3600 + 60;
        person.skew_clock(later).await.unwrap();
        let now = Utc::now().timestamp() + later;
        let jwt = sign(&pem, &json!({"iss": APP_ID.to_string(), "iat": now - 60, "exp": now + 500}));
        let app = Api::new(&emulator.base, Some(format!("Bearer {jwt}")));
        let list = app.get("/app/hook/deliveries").await;
        let one = app.get(&format!("/app/hook/deliveries/{id}")).await;
        let again = app.post(&format!("/app/hook/deliveries/{id}/attempts"), json!({})).await;
        let told = (list.body.as_array().unwrap().len(), one.status, again.status);
        assert_eq!(told, if kept { (1, 200, 202) } else { (0, 404, 404) });
        if !kept {
            assert_eq!((one.message(), again.message()), ("Not Found", "Not Found"));
        }
        person.settled(PATIENCE).await.unwrap();
        judge(&person.calls().await.unwrap(), 4);
        emulator.stop().await;
    }
}

#[tokio::test]
async fn a_hook_without_address_is_a_failed_delivery_and_an_inactive_one_is_none() {
    let sink = Sink::start(200).await;
    let (seed, pem) = installed(permissions(&[("issues", Level::Write)]), &["issues"], Some(&sink.url));
    let emulator = Emulator::start(seed).await;
    let (person, app) = (&emulator.person, as_app(&emulator.base, &pem, &APP_ID.to_string()));
    person.open_issue(REPO, "told", &[]).await.unwrap();
    person.settled(PATIENCE).await.unwrap();
    person.edit_app(SLUG, json!({"hook_active": false})).await.unwrap();
    person.open_issue(REPO, "not told", &[]).await.unwrap();
    person.edit_app(SLUG, json!({"hook_active": true, "hook_url": ""})).await.unwrap();
    person.open_issue(REPO, "told to nobody", &[]).await.unwrap();
    let config = app.get("/app/hook/config").await.body;
    assert_eq!(config.get("url"), None);
    let list = app.get("/app/hook/deliveries").await.body;
    assert_eq!(list.as_array().unwrap().len(), 1);
    let attempts = format!("/app/hook/deliveries/{}/attempts", list[0]["id"]);
    assert_eq!(app.post(&attempts, json!({})).await.status, 202);
    person.settled(PATIENCE).await.unwrap();
    let list = app.get("/app/hook/deliveries").await.body;
    let nobody = app.get(&format!("/app/hook/deliveries/{}", list[0]["id"])).await.body;
    assert_eq!((&nobody["status"], &nobody["status_code"]), (&json!("failed to connect to host"), &json!(502)));
    assert_eq!((&nobody["redelivery"], &nobody["guid"]), (&json!(true), &list[1]["guid"]));
    assert_eq!(sink.received().len(), 1);
    judge(&person.calls().await.unwrap(), 5);
    emulator.stop().await;
}

#[tokio::test]
async fn keys_come_and_go() {
    let (seed, old) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let person = &emulator.person;
    let answer = async |pem| {
        let answer = as_app(&emulator.base, pem, &APP_ID.to_string()).get("/app").await;
        (answer.status, answer.message().to_owned())
    };
    let new = person.add_key(SLUG).await.unwrap();
    assert_eq!((answer(&old).await.0, answer(&new).await.0), (200, 200));
    person.revoke_keys(SLUG).await.unwrap();
    assert_eq!(answer(&old).await, (401, "Integration must generate a public key".to_owned()));
    let newer = person.add_key(SLUG).await.unwrap();
    assert_eq!(answer(&old).await, (401, "A JSON web token could not be decoded".to_owned()));
    assert_eq!(answer(&newer).await.0, 200);
    judge(&person.calls().await.unwrap(), 5);
    emulator.stop().await;
}

#[tokio::test]
async fn a_suspended_installation_hears_of_itself_only() {
    let sink = Sink::start(200).await;
    let (mut seed, pem) = installed(permissions(&[("issues", Level::Write)]), &["issues"], Some(&sink.url));
    seed.repos.push(SeedRepo { name: "pangeo-forge/other".to_owned(), ..SeedRepo::default() });
    let emulator = Emulator::start(seed).await;
    let (person, app) = (&emulator.person, as_app(&emulator.base, &pem, &APP_ID.to_string()));
    let id = app.get("/app/installations").await.body[0]["id"].as_i64().unwrap();
    person.suspend(id, true).await.unwrap();
    person.open_issue(REPO, "unheard", &[]).await.unwrap();
    person.select(id, &["other"], &[]).await.unwrap();
    person.suspend(id, false).await.unwrap();
    person.open_issue(REPO, "heard", &[]).await.unwrap();
    person.settled(PATIENCE).await.unwrap();
    assert_eq!(sink.events(), ["installation.suspend", "installation.unsuspend", "issues.opened"]);
    emulator.stop().await;
}

#[tokio::test]
async fn beyond_its_repositories_a_token_reads_what_everybody_may() {
    let (mut seed, pem) = installed(permissions(&[("issues", Level::Write)]), &[], None);
    seed.repos.push(SeedRepo { name: "pangeo-forge/other".to_owned(), ..SeedRepo::default() });
    let emulator = Emulator::start(seed).await;
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    let api = as_installation(&app, json!({})).await;
    let issue = json!({"title": "x"});
    let asked: [(Method, &str, Value, u16, &str); 4] = [
        (Method::GET, "other/pulls", Value::Null, 200, ""),
        (Method::POST, "other/issues", issue.clone(), 403, "Resource not accessible by integration"),
        (Method::GET, "secret", Value::Null, 404, "Not Found"),
        (Method::POST, "secret/issues", issue, 404, "Not Found"),
    ];
    for (method, path, body, status, message) in asked {
        let answer = api.call(method.clone(), &format!("/repos/pangeo-forge/{path}"), body).await;
        assert_eq!((answer.status, answer.message()), (status, message), "{method} {path}");
    }
    for (path, status) in [("other", 404), ("secret", 404), ("staged-recipes", 200)] {
        let answer = app.get(&format!("/repos/pangeo-forge/{path}/installation")).await;
        assert_eq!(answer.status, status, "{path}");
    }
    emulator.stop().await;
}

#[tokio::test]
async fn requests_wait_until_somebody_installs() {
    let (seed, pem) = installed(permissions(&[]), &[], None);
    let emulator = Emulator::start(seed).await;
    let (person, app) = (&emulator.person, as_app(&emulator.base, &pem, &APP_ID.to_string()));
    person.create_org("acme").await.unwrap();
    assert!(person.request_installation(SLUG, "pangeo-forge", "ada").await.is_err(), "it is installed there");
    for _ in 0..2 {
        person.request_installation(SLUG, "acme", "ada").await.unwrap();
    }
    let requests = app.get("/app/installation-requests").await.body;
    assert_eq!(requests.as_array().unwrap().len(), 1);
    assert_eq!((&requests[0]["account"]["login"], &requests[0]["requester"]["login"]), (&json!("acme"), &json!("ada")));
    person.install(SLUG, "acme", None).await.unwrap();
    assert_eq!(app.get("/app/installation-requests").await.body, json!([]));
    judge(&person.calls().await.unwrap(), 2);
    emulator.stop().await;
}
