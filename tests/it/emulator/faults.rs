//! What goes wrong on demand, and deliveries that fail on their own.

use std::time::{Duration, Instant};

use pforge::emulator::faults::Fault;
use pforge::emulator::person::RawDelivery;
use pforge::emulator::state::Level;
use pforge::github::signature;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::emulator::support::{APP_ID, Api, Emulator, PATIENCE, REPO, SECRET, Sink, as_app, installed, permissions};

async fn with_issues(hook: &str) -> (Emulator, Api) {
    let (seed, pem) = installed(permissions(&[("issues", Level::Write)]), &["issues"], Some(hook));
    let emulator = Emulator::start(seed).await;
    let app = as_app(&emulator.base, &pem, &APP_ID.to_string());
    (emulator, app)
}

fn titles(sink: &Sink) -> Vec<String> {
    sink.received().iter().map(|r| r.json()["issue"]["title"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn calls_fail_as_asked() {
    let (emulator, app) = with_issues("http://127.0.0.1:1/").await;
    let person = &emulator.person;
    let headers = [("retry-after".to_owned(), "7".to_owned())].into();
    person
        .fault(&Fault { path: Some("/app".into()), status: Some(503), count: Some(1), headers, ..Fault::default() })
        .await
        .unwrap();
    let failed = app.get("/app").await;
    assert_eq!((failed.status, failed.header("retry-after")), (503, "7"));
    assert_eq!(app.get("/app").await.status, 200);

    person.fault(&Fault { path: Some("/app".into()), drop: true, count: Some(1), ..Fault::default() }).await.unwrap();
    let dropped = app.request(http::Method::GET, "/app").send().await;
    let unreadable = match dropped {
        Err(_) => true,
        Ok(response) => response.bytes().await.is_err(),
    };
    assert!(unreadable, "the connection breaks");

    person.fault(&Fault { path: Some("/app*".into()), latency_ms: 150, ..Fault::default() }).await.unwrap();
    let begin = Instant::now();
    assert_eq!(app.get("/app").await.status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(150));
    person.clear_faults().await.unwrap();

    // The work is done, the answer is lost: the caller cannot know.
    let id = app.get("/app/installations").await.body[0]["id"].clone();
    let path = format!("/app/installations/{id}/suspended");
    person
        .fault(&Fault { path: Some(path.clone()), status: Some(502), after: true, count: Some(1), ..Fault::default() })
        .await
        .unwrap();
    assert_eq!(app.call(http::Method::PUT, &path, json!({})).await.status, 502);
    assert!(app.get(&format!("/app/installations/{id}")).await.body["suspended_at"].is_string());
    emulator.stop().await;
}

#[tokio::test]
async fn deliveries_get_lost_doubled_and_out_of_order() {
    let sink = Sink::start(200).await;
    let (emulator, _) = with_issues(&sink.url).await;
    let person = &emulator.person;
    let fault = |change: fn(&mut Fault)| {
        let mut fault = Fault { event: Some("issues".into()), count: Some(1), ..Fault::default() };
        change(&mut fault);
        fault
    };
    person.fault(&fault(|f| f.drop = true)).await.unwrap();
    person.fault(&fault(|f| f.duplicate = true)).await.unwrap();
    person.fault(&fault(|f| f.reorder = true)).await.unwrap();
    for title in ["lost", "doubled", "late", "early"] {
        person.open_issue(REPO, title, &[]).await.unwrap();
    }
    person.settled(PATIENCE).await.unwrap();
    assert_eq!(titles(&sink), ["doubled", "doubled", "early", "late"]);
    let guids: Vec<String> = sink.received().iter().map(|r| r.header("x-github-delivery").to_owned()).collect();
    assert_eq!(guids[0], guids[1]);
    emulator.stop().await;
}

/// Held back for the next one, and sent all the same when none comes.
#[tokio::test]
async fn deliveries_get_doubled_and_out_of_order_by_chance() {
    let sink = Sink::start(200).await;
    let (emulator, _) = with_issues(&sink.url).await;
    let person = &emulator.person;
    let fault = Fault { event: Some("*".into()), rate: Some(0.3), seed: 1, ..Fault::default() };
    person.fault(&Fault { duplicate: true, ..fault.clone() }).await.unwrap();
    person.fault(&Fault { reorder: true, ..fault }).await.unwrap();
    let sent: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    for title in &sent {
        person.open_issue(REPO, title, &[]).await.unwrap();
    }
    person.settled(PATIENCE).await.unwrap();
    let mut received = titles(&sink);
    assert!((45..60).contains(&received.len()), "{received:?}");
    received.dedup();
    assert_ne!(received, sent, "out of order");
    received.sort_by_key(|title| title.parse::<u32>().unwrap());
    assert_eq!(received, sent, "and all there");
    emulator.stop().await;
}

#[tokio::test]
async fn failures_have_githubs_words() {
    let refusing = Sink::start(501).await;
    // Bound and never accepted from: a connection that is closed at once stands for a host that is not there.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (hook, status, code) in [
        (refusing.url.clone(), "Invalid HTTP Response: 501", 501),
        (format!("http://{free}/"), "failed to connect to host", 502),
    ] {
        let (emulator, app) = with_issues(&hook).await;
        emulator.person.open_issue(REPO, "x", &[]).await.unwrap();
        emulator.person.settled(PATIENCE).await.unwrap();
        let item = app.get("/app/hook/deliveries").await.body[0].clone();
        assert_eq!((&item["status"], &item["status_code"]), (&json!(status), &json!(code)));
        emulator.stop().await;
    }
}

#[tokio::test]
async fn a_slow_receiver_holds_nobody_up_and_times_out() {
    // Accepts and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = format!("http://{}/", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let (emulator, app) = with_issues(&hook).await;
    let begin = Instant::now();
    emulator.person.open_issue(REPO, "x", &[]).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(2));
    emulator.person.settled(PATIENCE).await.unwrap();
    let item = app.get("/app/hook/deliveries").await.body[0].clone();
    assert_eq!((&item["status"], &item["status_code"]), (&json!("timed out"), &json!(504)));
    assert!(item["duration"].as_f64().is_some_and(|d| (9.5..12.0).contains(&d)), "{item}");
    silent.abort();
    emulator.stop().await;
}

#[tokio::test]
async fn a_forged_delivery_can_be_sent() {
    let sink = Sink::start(401).await;
    let (emulator, _) = with_issues(&sink.url).await;
    let forged = RawDelivery {
        event: "issues".into(),
        payload: Value::String("{\"action\": \"opened\"}".into()),
        secret: Some("wrong".into()),
        headers: [("X-Hub-Signature".to_owned(), None), ("X-Extra".to_owned(), Some("1".to_owned()))].into(),
        ..RawDelivery::default()
    };
    emulator.person.send_raw(&forged).await.unwrap();
    emulator.person.settled(PATIENCE).await.unwrap();
    let received = &sink.received()[0];
    assert_eq!(received.body, "{\"action\": \"opened\"}", "byte for byte");
    assert!(
        !signature::Key::new(SECRET.as_bytes())
            .verify(received.header("x-hub-signature-256").as_bytes(), &received.body)
    );
    assert_eq!((received.header("x-hub-signature"), received.header("x-extra")), ("", "1"));
    let first = emulator.person.deliveries().await.unwrap()[0].clone();
    assert_eq!((&first["status"], &first["response"]), (&json!("Invalid HTTP Response: 401"), &json!("noted")));
    // Sent again by GitHub itself, the same bytes are signed as they should be.
    emulator.person.redeliver(first["id"].as_i64().unwrap()).await.unwrap();
    emulator.person.settled(PATIENCE).await.unwrap();
    let again = &sink.received()[1];
    assert!(signature::Key::new(SECRET.as_bytes()).verify(again.header("x-hub-signature-256").as_bytes(), &again.body));
    assert_eq!(again.header("x-github-delivery"), received.header("x-github-delivery"));
    emulator.stop().await;
}

#[tokio::test]
async fn a_form_hook_gets_a_form() {
    let sink = Sink::start(200).await;
    let (emulator, app) = with_issues(&sink.url).await;
    let changed =
        app.call(http::Method::PATCH, "/app/hook/config", json!({"content_type": "form", "secret": "new"})).await;
    assert_eq!((changed.status, &changed.body["content_type"]), (200, &json!("form")));
    emulator.person.open_issue(REPO, "x & y", &[]).await.unwrap();
    emulator.person.settled(PATIENCE).await.unwrap();
    let received = &sink.received()[0];
    assert_eq!(received.header("content-type"), "application/x-www-form-urlencoded");
    assert!(signature::Key::new(b"new").verify(received.header("x-hub-signature-256").as_bytes(), &received.body));
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&received.body).unwrap();
    let payload: Value = serde_json::from_str(&form[0].1).unwrap();
    assert_eq!((form[0].0.as_str(), &payload["issue"]["title"]), ("payload", &json!("x & y")));
    emulator.stop().await;
}
