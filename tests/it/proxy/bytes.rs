//! What arrives at the target has the bytes that were signed, or is not forwarded.

use pforge::proxy::session::Source;
use pforge::proxy::{Notice, Verdict};
use serde_json::json;

use super::smee_server::{Manner, SmeeServer};
use super::stage::{Running, SECRET, guid, keys, log, post, session, smee};
use crate::emulator::support::{Emulator, Sink, installed, permissions};

/// A body, and what becomes of it behind a server that parses and prints it.
fn nasty() -> Vec<(&'static str, String, Verdict)> {
    let megabyte = json!({ "text": "é€😀 \\ \"".repeat(65_000) }).to_string();
    assert!(megabyte.len() > 800_000 && megabyte.len() < 1 << 20);
    [
        ("plain", r#"{"action":"opened","n":1,"a":[true,null]}"#, Verdict::Raw),
        ("unicode", r#"{"text":"héllo 😀 \" \\ \n \t","zero":"\u0000"}"#, Verdict::Raw),
        ("order of keys", r#"{"z":1,"a":{"z":1,"a":2}}"#, Verdict::Raw),
        ("escaped letters", r#"{"text":"\u00e9\ud83d\ude00"}"#, Verdict::Rebuilt),
        ("escaped markup", r#"{"text":"\u003ca\u003e \u0026"}"#, Verdict::Rebuilt),
        ("newline at the end", "{\"a\":1}\n", Verdict::Rebuilt),
        ("a fraction of nothing", r#"{"a":1.0}"#, Verdict::Wrong),
        ("large number", r#"{"id":12345678901234567890}"#, Verdict::Wrong),
        ("one key twice", r#"{"a":1,"a":2}"#, Verdict::Wrong),
        ("blanks", "{ \"a\" : 1 }", Verdict::Wrong),
        ("a megabyte", &megabyte, Verdict::Raw),
    ]
    .map(|(name, body, verdict)| (name, body.to_owned(), verdict))
    .into()
}

async fn through(manner: Manner) {
    let (server, sink) = (SmeeServer::start(manner.clone()).await, Sink::start(202).await);
    let running = Running::start(session(&sink.url), Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    let mut expected = Vec::new();
    for (name, body, verdict) in nasty() {
        let verdict = if manner.exact { Verdict::Raw } else { verdict };
        assert_eq!(post(&server.channel(), "push", &guid(), body.as_bytes(), SECRET).await, 200, "{name}");
        let told = running
            .until(name, |told| {
                let got = told.iter().filter(|n| matches!(n, Notice::Received(_))).count();
                got > expected.len()
            })
            .await;
        let seen =
            told.iter().filter_map(|n| if let Notice::Received(seen) = n { Some(seen) } else { None }).next_back();
        assert_eq!(seen.unwrap().verdict, verdict, "{name}");
        expected.push((name, body, verdict));
    }
    let good: Vec<_> = expected.iter().filter(|(_, _, verdict)| verdict.forwards()).collect();
    running.until_forwarded(good.len()).await;
    running.stop().await;
    let received = sink.received();
    assert_eq!(received.len(), good.len());
    for (delivery, (name, body, _)) in received.iter().zip(good) {
        assert_eq!(delivery.body, body.as_bytes(), "{name}");
        assert_eq!(delivery.header("x-github-event"), "push");
        assert_eq!(delivery.header("x-github-hook-id"), "77");
        assert_eq!(delivery.header("user-agent"), "GitHub-Hookshot/044aadd");
        assert_eq!(delivery.header("content-type"), "application/json");
        assert_eq!(delivery.header("timestamp"), "");
        assert_eq!(delivery.header("host"), sink.url.trim_start_matches("http://").trim_end_matches("/hooks"));
    }
}

#[tokio::test]
async fn a_server_that_prints_bodies_anew_spoils_few_of_them() {
    through(Manner::default()).await;
}

#[tokio::test]
async fn a_server_that_gives_the_bytes_spoils_none() {
    through(Manner { exact: true, ..Manner::default() }).await;
}

#[tokio::test]
async fn what_the_server_spoiled_is_fetched_from_github() {
    let (server, sink) = (SmeeServer::start(Manner::default()).await, Sink::start(202).await);
    let (seed, pem) = installed(permissions(&[]), &["push"], Some(server.channel().as_str()));
    let emulator = Emulator::start(seed).await;
    let mut session = session(&sink.url);
    session.log = Some(log(&emulator, &pem));
    session.trust = keys();
    let running = Running::start(session, Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    let body = r#"{"action":"created","score":1.0}"#;
    let raw = pforge::emulator::person::RawDelivery {
        event: "star".to_owned(),
        payload: json!(body),
        ..pforge::emulator::person::RawDelivery::default()
    };
    emulator.person.send_raw(&raw).await.unwrap();
    let told = running.until_forwarded(1).await;
    let verdicts: Vec<_> =
        told.iter().filter_map(|n| if let Notice::Received(seen) = n { Some(seen.verdict) } else { None }).collect();
    assert_eq!(verdicts, [Verdict::Refetched]);
    assert_eq!(sink.received()[0].body, body.as_bytes());

    // A forgery is not known there, and stays one.
    post(&server.channel(), "star", &guid(), br#"{"action":"created"}"#, "a guess").await;
    let wrong = |n: &Notice| matches!(n, Notice::Received(seen) if seen.verdict == Verdict::Wrong);
    running.until("the forgery", |told| told.iter().any(wrong)).await;
    running.stop().await;
    assert_eq!(sink.received().len(), 1);
    emulator.stop().await;
}
