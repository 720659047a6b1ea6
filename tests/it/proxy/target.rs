//! The target: away, back, unwilling; and what goes on to it at all.

use axum::Router;
use axum::routing::post as route_post;
use http::StatusCode;
use pforge::proxy::session::Source;
use pforge::proxy::{Notice, Verdict};
use serde_json::json;
use tokio::net::TcpListener;

use super::smee_server::{Manner, SmeeServer};
use super::stage::{Running, SECRET, count, guid, post, session, smee};
use crate::emulator::support::Sink;

async fn number(server: &SmeeServer, number: u32) {
    let body = json!({ "number": number }).to_string();
    assert_eq!(post(&server.channel(), "push", &guid(), body.as_bytes(), SECRET).await, 200);
}

fn downs(told: &[Notice]) -> usize {
    count(told, |n| matches!(n, Notice::TargetDown { .. }))
}

fn ups(told: &[Notice]) -> usize {
    count(told, |n| matches!(n, Notice::TargetUp { .. }))
}

#[tokio::test]
async fn while_the_target_is_away_deliveries_are_kept_in_order() {
    let server = SmeeServer::start(Manner::default()).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let running = Running::start(session(&format!("http://{free}/hooks")), Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    for n in 0..5 {
        number(&server, n).await;
    }
    let told = running.until("five", |told| count(told, |n| matches!(n, Notice::Received(_))) == 5).await;
    let told = if downs(&told) > 0 { told } else { running.until("the loss", |told| downs(told) > 0).await };
    assert!(
        told.iter()
            .any(|n| matches!(n, Notice::TargetDown { reason, refused: true, .. } if reason == "connection refused"))
    );
    // It comes back, not ready at first.
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&seen);
    let handler = async move |body: String| {
        let mut seen = kept.lock().unwrap();
        seen.push(body);
        if seen.len() < 4 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::ACCEPTED }
    };
    let listener = TcpListener::bind(free).await.unwrap();
    let app = Router::new().route("/hooks", route_post(handler));
    let target = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    running.until_forwarded(5).await;
    let told = running.stop().await;
    target.abort();
    assert_eq!((downs(&told), ups(&told)), (1, 1), "{told:?}");
    let expected: Vec<_> = [0, 0, 0, 0, 1, 2, 3, 4].iter().map(|n| json!({ "number": n }).to_string()).collect();
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_delivery_that_the_target_never_takes_does_not_hold_up_the_others() {
    let (server, sink) = (SmeeServer::start(Manner::default()).await, Sink::start(503).await);
    let running = Running::start(session(&sink.url), Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    number(&server, 1).await;
    number(&server, 2).await;
    let told = running.until_forwarded(2).await;
    assert!(told.iter().all(|n| !matches!(n, Notice::Forwarded { reply, .. } if reply.status != 503)));
    running.stop().await;
    assert_eq!(sink.received().len(), 16);
}

#[tokio::test]
async fn what_waits_at_the_end_is_told_as_failed() {
    let server = SmeeServer::start(Manner::default()).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let running = Running::start(session(&format!("http://{free}/")), Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    for n in 0..3 {
        number(&server, n).await;
    }
    running.until("three", |told| count(told, |n| matches!(n, Notice::Received(_))) == 3).await;
    let told = running.stop().await;
    assert_eq!(count(&told, |n| matches!(n, Notice::Failed { .. })), 3, "{told:#?}");
}

#[tokio::test]
async fn only_genuine_and_wanted_deliveries_go_on() {
    let (server, sink) = (SmeeServer::start(Manner::default()).await, Sink::start(500).await);
    let mut session = session(&sink.url);
    session.filter = "push,issues.opened".parse().unwrap();
    session.headers = vec![("x-debug".to_owned(), "1".to_owned()), ("user-agent".to_owned(), "me".to_owned())];
    let running = Running::start(session, Source::smee(smee(server.channel()), None));
    running.until_connected().await;
    let channel = server.channel();
    post(&channel, "push", &guid(), b"{}", "another secret").await;
    post(&channel, "pull_request", &guid(), br#"{"action":"opened"}"#, SECRET).await;
    post(&channel, "issues", &guid(), br#"{"action":"closed"}"#, SECRET).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let unsigned = http.post(channel.clone()).header("x-github-delivery", guid()).header("x-github-event", "push");
    unsigned.header("content-type", "application/json").body("{}").send().await.unwrap();
    let body = br#"{"action":"opened","repository":{"full_name":"alice/mock"},"issue":{"number":3}}"#;
    post(&channel, "issues", &guid(), body, SECRET).await;
    running.until_forwarded(1).await;
    let told = running.stop().await;
    let seen: Vec<_> =
        told.iter().filter_map(|n| if let Notice::Received(seen) = n { Some(seen) } else { None }).collect();
    let verdicts: Vec<_> = seen.iter().map(|seen| seen.verdict).collect();
    assert_eq!(verdicts, [Verdict::Wrong, Verdict::Unsigned, Verdict::Raw]);
    assert_eq!((seen[2].title().as_str(), seen[2].about.as_deref()), ("issues.opened", Some("alice/mock#3")));
    // An error of the target is an answer, and not asked for again.
    let received = sink.received();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].header("x-debug"), received[0].header("user-agent")), ("1", "me"));
}
