//! Connections that end, fall silent or are refused; and what came meanwhile.

use std::time::Duration;

use http::StatusCode;
use pforge::emulator::person::RawDelivery;
use pforge::proxy::Notice;
use pforge::proxy::gap::Gap;
use pforge::proxy::notice::Origin;
use pforge::proxy::session::Source;
use pforge::proxy::smee::{Smee, Timing};
use serde_json::json;

use super::smee_server::{Manner, SmeeServer};
use super::stage::{QUICK, Running, SECRET, count, guid, log, post, session, smee};
use crate::emulator::support::{Emulator, Sink, installed, permissions};

fn connected(told: &[Notice]) -> usize {
    count(told, |n| matches!(n, Notice::Connected { .. }))
}

fn reasons(told: &[Notice]) -> Vec<String> {
    let reason = |n: &Notice| if let Notice::Reconnecting { reason, .. } = n { Some(reason.clone()) } else { None };
    told.iter().filter_map(reason).collect()
}

#[tokio::test]
async fn a_silent_connection_is_made_anew_and_a_pinged_one_stays() {
    let timing = Timing { silence: Duration::from_millis(400), backoff: QUICK, ..Timing::default() };
    let (silent, pinged) = (
        SmeeServer::start(Manner::default()).await,
        SmeeServer::start(Manner { ping: Some(Duration::from_millis(100)), ..Manner::default() }).await,
    );
    let sink = Sink::start(202).await;
    let start = |server: &SmeeServer| {
        Running::start(session(&sink.url), Source::smee(Smee::new(server.channel(), timing), None))
    };
    let (one, other) = (start(&silent), start(&pinged));
    let told = one.until("three connections", |told| connected(told) >= 3).await;
    assert!(reasons(&told).iter().all(|reason| reason == "silence for 400 ms"), "{told:?}");
    assert!(told.iter().any(|n| matches!(n, Notice::Connected { again: true })));
    assert_eq!(connected(&other.told()), 1, "three times the silence went by");
    assert!(reasons(&other.stop().await).is_empty());
    one.stop().await;
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_for_ever() {
    let server = SmeeServer::start(Manner { retry: Some(10), ..Manner::default() }).await;
    let sink = Sink::start(202).await;
    let running = Running::start(session(&sink.url), Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    server.refuse(Some(StatusCode::BAD_GATEWAY));
    server.cut();
    let told = running.until("ten attempts", |told| reasons(told).len() >= 10).await;
    let reasons = reasons(&told);
    assert_eq!(reasons[0], "the server closed the connection");
    assert_eq!(reasons[1], "the server answered 502 Bad Gateway");
    // Also when it says that there never was such a channel: it was there before.
    server.refuse(Some(StatusCode::NOT_FOUND));
    running.until("a 404", |told| self::reasons(told).iter().any(|r| r.contains("404"))).await;
    server.refuse(None);
    running.until("a connection", |told| connected(told) == 2).await;
    assert_eq!(server.asked().last().unwrap()["last-event-id"], "0");
    post(&server.channel(), "push", &guid(), b"{}", SECRET).await;
    running.until_forwarded(1).await;
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_channel_is_told_at_once() {
    let server = SmeeServer::start(Manner::default()).await;
    server.refuse(Some(StatusCode::NOT_FOUND));
    let sink = Sink::start(202).await;
    let ended = Running::start(session(&sink.url), Source::smee(smee(server.channel()), None)).ended().await;
    assert!(ended.to_string().ends_with("answered 404 Not Found"), "{ended}");
    // A page that is no stream.
    let page = Sink::start(200).await;
    let channel = url::Url::parse(&page.url).unwrap();
    let ended = Running::start(session(&sink.url), Source::smee(smee(channel), None)).ended().await;
    assert!(ended.to_string().contains("is no channel: it answered with text/plain"), "{ended}");
}

#[tokio::test]
async fn what_came_while_the_connection_was_away_is_fetched_once() {
    let (server, sink) = (SmeeServer::start(Manner::default()).await, Sink::start(202).await);
    let (seed, pem) = installed(permissions(&[]), &["push"], Some(server.channel().as_str()));
    let emulator = Emulator::start(seed).await;
    let send = async |number: u32, url: Option<&str>| {
        let raw = RawDelivery {
            event: "push".to_owned(),
            payload: json!({ "number": number }),
            url: url.map(str::to_owned),
            ..RawDelivery::default()
        };
        emulator.person.send_raw(&raw).await.unwrap()
    };
    let settled = async || {
        emulator.person.settled(super::stage::PATIENCE).await.unwrap();
    };
    send(1, None).await;
    settled().await;
    let gap = Gap {
        log: log(&emulator, &pem),
        channel: server.channel(),
        floor: None,
        looks: vec![Duration::from_millis(50), Duration::from_millis(300)],
        at_start: false,
    };
    let running = Running::start(session(&sink.url), Source::smee(smee(server.channel()), Some(gap)));
    running.until_connected().await;
    // What is newest in the log now is older than the session: wait until that was read.
    emulator
        .person
        .wait_for("a look at the log", super::stage::PATIENCE, async |person| {
            let calls = person.calls().await?;
            let look = |call: &serde_json::Value| call.to_string().contains("/app/hook/deliveries");
            Ok(calls.iter().any(look).then_some(()))
        })
        .await
        .unwrap();
    send(2, None).await;
    running.until_forwarded(1).await;
    server.refuse(Some(StatusCode::SERVICE_UNAVAILABLE));
    server.cut();
    running.until("the loss", |told| !reasons(told).is_empty()).await;
    let third = send(3, None).await;
    send(4, Some(&format!("{}/another-channel", server.url))).await;
    settled().await;
    emulator.person.redeliver(third).await.unwrap();
    send(5, None).await;
    settled().await;
    server.refuse(None);
    running.until("the gap", |told| count(told, |n| matches!(n, Notice::Gap { .. })) > 0).await;
    send(6, None).await;
    running.until_forwarded(4).await;
    // A redelivery of what was fetched long ago is not a copy; the second look finds nothing more.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let told = running.stop().await;
    let numbers: Vec<_> = sink.received().iter().map(|r| r.json()["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 3, 5, 6], "{told:#?}");
    let gaps: Vec<_> =
        told.iter().filter_map(|n| if let Notice::Gap { filled } = n { Some(*filled) } else { None }).collect();
    assert_eq!(gaps, [2]);
    let fetched = count(&told, |n| matches!(n, Notice::Received(seen) if seen.origin == Origin::Gap));
    assert_eq!(fetched, 2);
    assert!(told.iter().any(|n| matches!(n, Notice::Mark(_))));
    emulator.stop().await;
}
