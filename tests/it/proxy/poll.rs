//! Deliveries out of GitHub's log, without a tunnel.

use std::time::Duration;

use pforge::emulator::faults::Fault;
use pforge::emulator::person::RawDelivery;
use pforge::github::signature::Key;
use pforge::proxy::poll::{From, Pace, Poll};
use pforge::proxy::session::Source;
use pforge::proxy::{Notice, Verdict};
use serde_json::json;

use super::stage::{PATIENCE, Running, SECRET, count, log, session};
use crate::emulator::support::{Emulator, Sink, installed, permissions};

const PACE: Pace = Pace { busy: Duration::from_millis(20), idle: Duration::from_millis(100) };

async fn send(emulator: &Emulator, number: u32) -> i64 {
    let payload = json!({ "z": 1.0, "number": number, "text": "é\u{2028}<&>" });
    let raw = RawDelivery { event: "push".to_owned(), payload, ..RawDelivery::default() };
    emulator.person.send_raw(&raw).await.unwrap()
}

#[tokio::test]
async fn nothing_is_missed_and_nothing_comes_twice_also_across_restarts() {
    let sink = Sink::start(202).await;
    // Nobody answers at the webhook URL: GitHub records failures, with what it sent.
    let (seed, pem) = installed(permissions(&[]), &["push"], Some("http://127.0.0.1:9/hooks"));
    let emulator = Emulator::start(seed).await;
    send(&emulator, 0).await;
    emulator.person.settled(PATIENCE).await.unwrap();
    let log = log(&emulator, &pem);
    let start = |from| Running::start(session(&sink.url), Source::Poll(Poll::new(log.clone(), PACE, from)));
    let mark =
        |told: &[Notice]| told.iter().filter_map(|n| if let Notice::Mark(id) = n { Some(*id) } else { None }).max();

    // From now on: what was there before is not wanted.
    let running = start(From::Now);
    running.until("the first mark", |told| mark(told).is_some()).await;
    let first = send(&emulator, 1).await;
    // A detail that is not found for a moment, and a log that fails for a while.
    let gone =
        Fault { path: Some("/app/hook/deliveries/*".into()), count: Some(2), status: Some(404), ..Fault::default() };
    emulator.person.fault(&gone).await.unwrap();
    running.until_forwarded(1).await;
    emulator.person.redeliver(first).await.unwrap();
    let told = running.until_forwarded(2).await;
    assert!(count(&told, |n| matches!(n, Notice::Reconnecting { .. })) == 0);
    let reached = mark(&running.stop().await).unwrap();

    // More than a page while nobody looks.
    for number in 2..130 {
        send(&emulator, number).await;
    }
    emulator.person.settled(PATIENCE).await.unwrap();
    let running = start(From::After(reached));
    send(&emulator, 130).await;
    let told = running.until_forwarded(129).await;
    let verdicts = count(&told, |n| matches!(n, Notice::Received(seen) if seen.verdict == Verdict::Raw));
    assert_eq!(verdicts, 129, "compact JSON with its own numbers is what was sent");
    // Idle: reads cost nothing.
    let idle = |calls: &[serde_json::Value]| calls.iter().rev().take(4).all(|call| call["status"] == 304);
    emulator
        .person
        .wait_for("idle looks", PATIENCE, async |person| Ok(idle(&person.calls().await?).then_some(())))
        .await
        .unwrap();
    running.stop().await;

    let received = sink.received();
    let numbers: Vec<_> = received.iter().map(|r| r.json()["number"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = [1].into_iter().chain(1..=130).collect();
    assert_eq!(numbers, expected);
    let key = Key::new(SECRET.as_bytes());
    for delivery in &received {
        assert!(key.verify(delivery.header("x-hub-signature-256").as_bytes(), &delivery.body));
        assert_eq!(delivery.header("x-github-event"), "push");
        assert_eq!(delivery.header("content-type"), "application/json");
        assert!(delivery.body.starts_with(br#"{"z":1.0,"number":"#), "{:?}", delivery.body);
    }
    emulator.stop().await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_told_once_it_can_again() {
    let sink = Sink::start(202).await;
    let (seed, pem) = installed(permissions(&[]), &["push"], Some("http://127.0.0.1:9/hooks"));
    let emulator = Emulator::start(seed).await;
    send(&emulator, 1).await;
    emulator.person.settled(PATIENCE).await.unwrap();
    let broken =
        Fault { path: Some("/app/hook/deliveries".into()), count: Some(5), status: Some(502), ..Fault::default() };
    emulator.person.fault(&broken).await.unwrap();
    let poll = Poll::new(log(&emulator, &pem), PACE, From::After(0));
    let running = Running::start(session(&sink.url), Source::Poll(poll));
    let told = running.until_forwarded(1).await;
    assert!(
        told.iter().any(|n| matches!(n, Notice::Reconnecting { reason, .. } if reason.contains("502"))),
        "{told:?}"
    );
    assert_eq!(count(&running.stop().await, |n| matches!(n, Notice::Connected { .. })), 1);
    emulator.stop().await;
}
