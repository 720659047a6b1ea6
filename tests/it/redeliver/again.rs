//! `pforge deliveries redeliver`: what failed, once, and what came of it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pforge::emulator::faults::Fault;
use pforge::emulator::person::RawDelivery;
use serde_json::{Value, json};

use super::stage::{NOWHERE, Sink, Stage};

fn raw(event: &str, url: &str) -> RawDelivery {
    RawDelivery { event: event.into(), payload: json!({ "zen": "z" }), url: Some(url.into()), ..RawDelivery::default() }
}

fn guids(told: &Value) -> BTreeSet<String> {
    let all = told["deliveries"].as_array().unwrap();
    all.iter().map(|one| one["guid"].as_str().unwrap().to_owned()).collect()
}

async fn guid(stage: &Stage, id: i64) -> String {
    let all = stage.person.deliveries().await.unwrap();
    all.iter().find(|one| one["id"] == id).unwrap()["guid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_failed_is_redelivered_once_and_what_was_mended_is_not() {
    let stage = Stage::start(None).await;
    let sink = Sink::start(200).await;
    stage.hook_to(&sink.url).await;
    // Failed, and then delivered: not failed.
    let mended = stage.raw(raw("ping", NOWHERE)).await;
    stage.person.redeliver(mended).await.unwrap();
    let mended = guid(&stage, mended).await;
    // Failed twice: one event.
    stage.guids().await;
    sink.answer(500);
    let twice = stage.raw(raw("star", &sink.url)).await;
    let newest = stage.person.redeliver(twice).await.unwrap();
    stage.guids().await;
    let twice = guid(&stage, twice).await;
    let once = stage.raw(raw("watch", NOWHERE)).await;
    let once = guid(&stage, once).await;
    let before = sink.received().len();

    let shown = stage.pforge(&["deliveries", "redeliver", "--failed", "--since", "2h", "--dry-run"]).success();
    assert!(shown.stdout.contains(&twice) && shown.stdout.contains(&newest.to_string()), "{shown}");
    assert!(shown.stdout.contains("Invalid HTTP Response: 500") && !shown.stdout.contains(&mended), "{shown}");
    let all = stage.pforge(&["deliveries", "redeliver", "--failed", "-n", "--json"]).success().json();
    assert!(guids(&all).is_superset(&[twice.clone(), once.clone()].into()) && !guids(&all).contains(&mended), "{all}");
    for args in [["--event", "watch"], ["--event", "nothing"], ["--until", "1h"], ["--since", "0s"]] {
        let line = ["deliveries", "redeliver", "--failed", "-n", "--json", args[0], args[1]];
        let some = guids(&stage.pforge(&line).success().json());
        let expected: BTreeSet<String> = if args[1] == "watch" { [once.clone()].into() } else { [].into() };
        assert_eq!(some, expected, "{args:?}");
    }
    assert_eq!(stage.calls("POST", "/app/hook/deliveries").await.len(), 0, "a dry run did something");
    assert_eq!(sink.received().len(), before);

    // It fails again: exit code 1. Then it works: 0, and nothing is left to do.
    let star = ["deliveries", "redeliver", "--failed", "--event", "star"];
    let failed = stage.pforge(&star);
    assert_eq!(failed.code, Some(1), "{failed}");
    assert!(failed.stderr.contains("1 redelivered, 1 failed again"), "{failed}");
    sink.answer(200);
    let begun = Instant::now();
    let told = stage.pforge(&["deliveries", "redeliver", "--failed", "--since", "1h", "--json"]).success().json();
    let (count, took) = (told["redelivered"].as_u64().unwrap(), begun.elapsed());
    assert_eq!((&told["ok"], &told["failed"]), (&json!(count), &json!(0)), "{told}");
    assert!(count >= 2 && took >= Duration::from_secs(count - 1), "{count} in {took:?}: faster than one a second");
    let asked = stage.calls("POST", "/app/hook/deliveries").await;
    assert_eq!(asked.len() as u64, count + 1, "{asked:?}");
    let nothing = stage.pforge(&["deliveries", "redeliver", "--failed"]).success();
    assert!(nothing.stderr.contains("Nothing to redeliver"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn single_events_are_named_by_guid_beginning_or_number() {
    let stage = Stage::start(None).await;
    let sink = Sink::start(200).await;
    stage.hook_to(&sink.url).await;
    let id = stage.raw(raw("ping", NOWHERE)).await;
    let guid = guid(&stage, id).await;
    // GitHub wants a pause first.
    let limit = Fault {
        method: Some("POST".into()),
        path: Some("/app/hook/deliveries/*".into()),
        status: Some(429),
        headers: [("retry-after".to_owned(), "1".to_owned())].into(),
        count: Some(1),
        ..Fault::default()
    };
    stage.person.fault(&limit).await.unwrap();
    let number = id.to_string();
    // Three names of one event: it is delivered once.
    let told = stage.pforge(&["deliveries", "redeliver", &guid, &guid[..8], &number]).success();
    assert!(told.stderr.contains("1 redelivered, 1 ok"), "{told}");
    assert_eq!(sink.header("x-github-delivery"), std::slice::from_ref(&guid));
    // One that is good may be had again; nobody waits here.
    let told = stage.pforge(&["deliveries", "redeliver", &guid, "--no-wait"]).success();
    assert!(told.stdout.contains("asked for") && told.stderr.contains("1 redelivered\n"), "{told}");
    let absent = stage.pforge(&["deliveries", "redeliver", "00000000-0000-4000-8000-000000000000"]);
    assert_eq!(absent.code, Some(5), "{absent}");
    let neither = stage.pforge(&["deliveries", "redeliver"]);
    assert_eq!(neither.code, Some(2), "{neither}");
    // GitHub refuses one: the others are asked for all the same.
    let other = stage.raw(raw("star", NOWHERE)).await;
    let gone = Fault {
        method: Some("POST".into()),
        path: Some(format!("/app/hook/deliveries/{other}/attempts")),
        status: Some(422),
        ..Fault::default()
    };
    stage.person.fault(&gone).await.unwrap();
    let told = stage.pforge(&["deliveries", "redeliver", &other.to_string(), &guid, "--json"]);
    assert_eq!(told.code, Some(1), "{told}");
    let told = told.json();
    let outcomes: Vec<&str> =
        told["deliveries"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["refused", "ok"], "{told}");
}
