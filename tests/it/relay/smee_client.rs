//! The real smee-client listens to our relay.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::HeaderMap;
use pforge::util::id::guid;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::bodies::body;
use super::support::{Listener, PATIENCE, Relay, http, key, post};

/// GUID and whether the signature fits, in the order of arrival.
type Received = Arc<Mutex<Vec<(String, bool)>>>;

async fn receive(State(received): State<Received>, headers: HeaderMap, body: Bytes) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let good = key().verify(text("x-hub-signature-256").as_bytes(), &body);
    received.lock().unwrap().push((text("x-github-delivery"), good));
}

fn node_modules() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let modules = std::env::var_os("PFORGE_TEST_NODE_MODULES")
        .map_or_else(|| root.join("tests/real/octokit/node_modules"), PathBuf::from);
    assert!(
        modules.join("smee-client").is_dir(),
        "smee-client: run `npm ci --ignore-scripts` in tests/real/octokit, or set PFORGE_TEST_NODE_MODULES"
    );
    modules
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_smee_client_makes_a_channel_and_receives() {
    const COUNT: usize = 1000;
    let received = Received::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/github/hooks/", listener.local_addr().unwrap());
    let router = Router::new().fallback(receive).layer(axum::extract::DefaultBodyLimit::disable());
    tokio::spawn(axum::serve(listener, router.with_state(Arc::clone(&received))).into_future());
    let mut relay = Relay::start(&[]);
    let mut client = tokio::process::Command::new("node")
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/real/octokit/smee.mjs"))
        .env("NODE_MODULES", node_modules())
        .env("NEW", relay.channel("new"))
        .env("TARGET", &target)
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node is required");
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let url = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().expect("a channel");
    assert!(url.starts_with(&relay.url), "{url}");
    let mut ours = Listener::ready(&format!("{url}?bodyB=1")).await;
    let http = http();
    let mut expected = 0;
    for n in 0..COUNT {
        let (body, survives) = body(n);
        expected += usize::from(survives);
        assert_eq!(post(&http, &url, &guid(), body).await.unwrap(), 200);
    }
    let mut valid = 0;
    for _ in 0..COUNT {
        valid += usize::from(ours.delivery().await.1.verify(&[key()]) == Some(true));
    }
    arrived(&received, COUNT).await;
    let theirs = received.lock().unwrap().iter().filter(|(_, good)| *good).count();
    eprintln!("valid signatures of {COUNT} nasty deliveries: pforge {valid}, smee-client {theirs}");
    assert_eq!((valid, theirs), (COUNT, expected), "smee-client prints bodies anew");
    // While the relay was away, nobody could post; what was posted after is not lost on theirs,
    // because it sends the id that it has seen last.
    let (body, survives) = body(0);
    assert!(survives);
    relay.kill();
    relay.again();
    let late = guid();
    assert_eq!(post(&http, &url, &late, body).await.unwrap(), 200);
    arrived(&received, COUNT + 1).await;
    assert_eq!(received.lock().unwrap().last(), Some(&(late, true)));
    client.kill().await.unwrap();
}

async fn arrived(received: &Received, count: usize) {
    let begun = Instant::now();
    while received.lock().unwrap().len() < count {
        let so_far = received.lock().unwrap().len();
        assert!(begun.elapsed() < PATIENCE, "{so_far} of {count} arrived");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
