//! A long log whose events took every way: the pages hold each of them once, whole and in order.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use http::StatusCode;
use pforge::emulator::keys::AppKey;
use pforge::store::ingest::{NewDelivery, Writer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::stage::run;
use crate::support::pg::TestDb;
use crate::support::world::Site;

const EVENTS: usize = 3000;

/// An event and what became of it.
struct Event {
    guid: String,
    at: DateTime<Utc>,
    attempts: usize,
    stored: bool,
    good: bool,
}

/// GitHub's log, newest first, in pages of 100.
async fn github(log: Vec<Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let list = |State((url, log)): State<(String, Arc<Vec<Value>>)>, Query(query): Query<BTreeMap<String, String>>| async move {
        let from: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let page: Vec<Value> = log.iter().skip(from).take(100).cloned().collect();
        let next = format!("<{url}/app/hook/deliveries?per_page=100&cursor={}>; rel=\"next\"", from + 100);
        let mut response = Json(page).into_response();
        if from + 100 < log.len() {
            response.headers_mut().insert("link", next.parse().unwrap());
        }
        response
    };
    let one = |State((_, log)): State<(String, Arc<Vec<Value>>)>, Path(id): Path<i64>| async move {
        let Some(found) = log.iter().find(|attempt| attempt["id"] == id) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let mut detail = found.clone();
        detail["request"] = json!({ "headers": {}, "payload": { "repository": { "full_name": "octo/feedstock" } } });
        detail["response"] = json!({ "headers": {}, "payload": "" });
        let response: Response = Json(detail).into_response();
        response
    };
    let router = Router::new()
        .route("/app/hook/deliveries", get(list))
        .route("/app/hook/deliveries/{id}", get(one))
        .with_state((url.clone(), Arc::new(log)));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn attempt(event: &Event, at: DateTime<Utc>, status: u16, redelivery: bool) -> Value {
    json!({
        "id": 0, "guid": event.guid, "delivered_at": at, "redelivery": redelivery, "duration": 0.1,
        "status": if status < 300 { "OK" } else { "failed" }, "status_code": status, "event": "push", "action": null,
        "installation_id": 7, "repository_id": 11, "throttled_at": null,
    })
}

fn arrival(event: &Event, at: DateTime<Utc>) -> NewDelivery {
    NewDelivery {
        app: "recipes",
        hook_id: "42".into(),
        guid: event.guid.clone(),
        event: "push".into(),
        action: None,
        repo: Some("octo/feedstock".into()),
        installation_id: Some(7),
        received_at: at,
        headers: json!({}),
        content_type: "application/json".into(),
        body: "{}".into(),
        answer_status: 202,
        answer: json!({ "status": "ok" }),
        jobs: vec![],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_log_is_merged_page_by_page() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let begin = (Utc::now() - TimeDelta::days(2)).trunc_subsecs(0);
    let (mut events, mut log, mut arrivals) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..EVENTS {
        // Several in a second, as pushes come.
        let at = begin + TimeDelta::seconds(i64::try_from(number / 3 * 20).unwrap());
        let guid = uuid::Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid().to_string();
        let mut event = Event { guid, at, attempts: 1, stored: true, good: true };
        let later = at + TimeDelta::seconds(random.i64(60..20_000));
        let soon = TimeDelta::milliseconds(random.i64(0..900));
        match random.u8(..10) {
            0 => {
                event.attempts = 2;
                log.push(attempt(&event, at, 502, false));
                log.push(attempt(&event, later, 202, true));
                arrivals.push((later + soon, arrival(&event, later + soon)));
            }
            1 => {
                (event.stored, event.good) = (false, false);
                log.push(attempt(&event, at, 502, false));
            }
            2 => {
                // Somebody's own trigger: GitHub knows nothing of it.
                event.attempts = 0;
                arrivals.push((at, arrival(&event, at)));
            }
            _ => {
                log.push(attempt(&event, at, 202, false));
                arrivals.push((at + soon, arrival(&event, at + soon)));
            }
        }
        events.push(event);
    }
    log.sort_by_key(|attempt| attempt["delivered_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
    log.iter_mut().enumerate().for_each(|(number, attempt)| attempt["id"] = json!(number + 1));
    log.reverse();
    arrivals.sort_by_key(|(at, _)| *at);
    let database = TestDb::sqlite().await;
    let (writer, _) = Writer::start(database.db.clone(), CancellationToken::new(), || {});
    for (_, arrival) in arrivals {
        writer.record(arrival).await.unwrap();
    }
    let url = github(log).await;
    let key = AppKey::generate().unwrap();
    let site = Site::new(&url, 7, key.pem.expose(), Some(database.url.to_string()));

    let begun = Instant::now();
    let mut found: Vec<Value> = Vec::new();
    let mut after = String::new();
    loop {
        let said = run(&site, &[], &format!("deliveries list --limit 700 --json {after}")).ok().json();
        found.extend(said["items"].as_array().unwrap().iter().cloned());
        match said["next"].as_str() {
            Some(next) => after = format!("--after {next}"),
            None => break,
        }
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(60), "{EVENTS} events took {took:?}");
    let time = |item: &Value| item["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(found.is_sorted_by(|a, b| time(a) >= time(b)), "newest first");
    let by_guid: BTreeMap<&str, &Value> = found.iter().map(|item| (item["guid"].as_str().unwrap(), item)).collect();
    assert_eq!((found.len(), by_guid.len()), (EVENTS, EVENTS));
    for event in &events {
        let item = by_guid[event.guid.as_str()];
        let attempts = item["github"].as_array().unwrap().len();
        let told = (time(item), attempts, item["local"].is_object(), item["delivered"] == true, &item["repo"]);
        assert_eq!(told, (event.at, event.attempts, event.stored, event.good, &json!("octo/feedstock")), "{item:#}");
    }
    for (status, wanted) in [("missing-locally", false), ("failed", false)] {
        let line = format!("deliveries list --limit 1000 --json --status {status}");
        let said = run(&site, &[], &line).ok().json();
        let told: HashSet<&str> =
            said["items"].as_array().unwrap().iter().map(|item| item["guid"].as_str().unwrap()).collect();
        let expected: HashSet<&str> =
            events.iter().filter(|event| event.stored == wanted).map(|event| event.guid.as_str()).collect();
        assert_eq!(told, expected, "{status}");
    }
    let (since, until) = (begin + TimeDelta::seconds(5000), begin + TimeDelta::seconds(9000));
    let line =
        format!("deliveries list --limit 1000 --json --since {} --until {}", since.to_rfc3339(), until.to_rfc3339());
    let said = run(&site, &[], &line).ok().json();
    let expected = events.iter().filter(|event| event.at >= since && event.at < until).count();
    assert_eq!(said["items"].as_array().unwrap().len(), expected);
    // An old one by its beginning.
    let oldest = &events[0];
    let said = run(&site, &[], &format!("deliveries show {} --json", &oldest.guid[..12])).ok().json();
    assert_eq!(said["guid"], oldest.guid.as_str());
}
