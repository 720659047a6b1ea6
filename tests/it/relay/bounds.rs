//! What nobody may exceed, and what happens to who does.

use std::time::{Duration, Instant};

use bytes::Bytes;
use pforge::proxy::relay::{Keep, Limits, Options, Rate, Server};
use pforge::util::Clock;
use pforge::util::id::guid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::support::{Listener, PATIENCE, Relay, http, post};

#[tokio::test]
async fn too_much_is_refused_with_a_word() {
    let relay = Relay::start(&["--max-body", "1k", "--max-channels", "2", "--max-listeners", "1", "--max-rate", "1"]);
    let http = http();
    let listen = |name: &str| http.get(relay.channel(name)).header("accept", "text/event-stream");
    let small = Bytes::from_static(b"{}");
    assert_eq!(post(&http, &relay.channel("one"), &guid(), vec![b' '; 1025].into()).await.unwrap(), 413);
    // Without a length, it is counted while it comes.
    let parts = (0..20).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 100])));
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(parts));
    assert_eq!(http.post(relay.channel("one")).body(body).send().await.unwrap().status(), 413);
    let _first = Listener::ready(&relay.channel("one")).await;
    let answer = listen("one").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.text().await.unwrap(), "this channel has as many listeners as it may have\n");
    assert_eq!(post(&http, &relay.channel("two"), &guid(), small.clone()).await.unwrap(), 200);
    assert_eq!(post(&http, &relay.channel("three"), &guid(), small.clone()).await.unwrap(), 503);
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(post(&http, &relay.channel("two"), &guid(), small.clone()).await.unwrap());
    }
    assert!(answers.starts_with(&[200; 15]) && answers.ends_with(&[429]), "{answers:?}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_stored_is_harmed() {
    let mut relay = Relay::start(&["--max-disk", "2k", "--keep", "3s"]);
    let (url, http) = (relay.channel("full"), http());
    let body = Bytes::from(format!("\"{}\"", "x".repeat(600)));
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(post(&http, &url, &guid(), body.clone()).await.unwrap());
    }
    assert!(answers.starts_with(&[200, 200]) && answers.ends_with(&[503]), "{answers:?}");
    // What an earlier run kept is counted, and goes when it is old.
    relay.kill();
    relay.again();
    assert_eq!(post(&http, &url, &guid(), body.clone()).await.unwrap(), 503);
    tokio::time::sleep(Duration::from_secs(3)).await;
    relay.kill();
    relay.again();
    let begun = Instant::now();
    while post(&http, &url, &guid(), body.clone()).await.unwrap() != 200 {
        assert!(begun.elapsed() < PATIENCE, "the disk stays full");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let stored: u64 = relay.segments().iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    assert!(stored < 1500, "old events are still on disk: {stored}");
}

#[tokio::test]
async fn old_events_and_unused_channels_go() {
    let relay = Relay::start(&["--keep", "1s", "--expire", "2s"]);
    let http = http();
    assert_eq!(post(&http, &relay.channel("used"), &guid(), Bytes::from_static(b"{}")).await.unwrap(), 200);
    let listener = Listener::ready(&relay.channel("used")).await;
    assert_eq!(post(&http, &relay.channel("unused"), &guid(), Bytes::from_static(b"{}")).await.unwrap(), 200);
    assert_eq!(relay.segments().len(), 2);
    let begun = Instant::now();
    while relay.segments().len() > 1 {
        assert!(begun.elapsed() < PATIENCE, "the channel stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What is too old is not given any more, but that there was something is told.
    let mut late = Listener::after(&relay.channel("used"), "1").await;
    assert_eq!(late.message().await.name, "gap");
    drop(listener);
}

#[tokio::test]
async fn one_relay_per_folder() {
    let relay = Relay::start(&[]);
    let data = relay.data().display().to_string();
    let output = crate::support::env::Env::new().pforge(&["relay", "--listen", "127.0.0.1:0", "--data", &data]);
    assert_eq!(output.code, Some(1), "{output}");
    assert!(output.stderr.contains("another pforge relay uses this folder"), "{output}");
}

/// A listener that reads nothing neither holds up others nor takes memory; it is cut, and goes on
/// where it was.
#[tokio::test]
async fn a_listener_that_stops_reading_is_cut_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { patience: Duration::from_millis(500), ..Limits::default() };
    let options = Options {
        data: folder.path().to_owned(),
        public_url: None,
        keep: Keep { age: Duration::from_secs(3600), events: 1000, bytes: 1 << 30 },
        limits: Limits { rate: Rate { per_second: 1000.0, burst: 1000.0 }, ..limits },
        ping: Duration::from_millis(100),
        clock: Clock::system(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let (told, _told) = mpsc::channel(8);
    let server = Server::open(options).await.unwrap();
    let serving = tokio::spawn(server.run(listener, told, stop.clone()));
    let (url, http) = (format!("http://{address}/slow"), http());
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n").await.unwrap();
    let mut begin = [0; 15];
    slow.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    let mut fast = Listener::ready(&url).await;
    let body = Bytes::from(format!("\"{}\"", "x".repeat(1 << 20)));
    let mut ids = Vec::new();
    for _ in 0..24 {
        assert_eq!(post(&http, &url, &guid(), body.clone()).await.unwrap(), 200);
        ids.push(fast.delivery().await.0);
    }
    // Pings go on meanwhile, without an id.
    let ping = fast.next().await;
    assert_eq!((ping.name.as_str(), ping.data.as_str()), ("ping", "{}"));
    // Nobody reads: the relay gives up. What is in the buffers is less than what was posted.
    tokio::time::sleep(limits.patience * 3).await;
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("it was cut");
    let text = String::from_utf8_lossy(&rest);
    let whole = text.matches("\n\n").filter(|_| true).count();
    assert!(rest.len() < 24 << 20, "{} bytes, {whole} events", rest.len());
    let seen = ids.iter().rev().find(|id| text.contains(&format!("id: {id}\n")));
    let before = seen.map_or(0, |seen| ids.iter().position(|id| id == seen).unwrap());
    // The last one that began may be incomplete: resume from the one before it.
    let from = if before == 0 { 0 } else { ids[before - 1] };
    let mut resumed = Listener::after(&url, &from.to_string()).await;
    for id in &ids[before..] {
        assert_eq!(resumed.delivery().await.0, *id);
    }
    stop.cancel();
    tokio::time::timeout(PATIENCE, serving).await.expect("ends").unwrap();
}
